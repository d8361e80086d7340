//! A variant becomes its public words; what it carries stays inside.
palisade::api!("../../openapi.yaml");

#[derive(Debug, palisade::Problem)]
#[problem(operations(api::AddTask))]
enum AddTaskError {
    #[problem(status = 409, code = "task_exists", message = "a task of this title is there already")]
    Exists { title: String },
}

#[derive(Debug, palisade::Problem)]
enum StoreError {
    #[problem(status = 503, code = "store", message = "try again later")]
    Io(#[from] std::io::Error),
}

fn store() -> Result<(), StoreError> {
    Err(std::io::Error::other("disk of host 7 is full"))?
}

fn main() {
    let problem = palisade::Problem::from(AddTaskError::Exists { title: "secret plan".into() });
    assert_eq!((problem.status(), problem.code()), (409, "task_exists"));
    assert!(!problem.message().contains("secret"));
    let problem = palisade::Problem::from(store().unwrap_err());
    assert_eq!((problem.status(), problem.code()), (503, "store"));
    assert!(!problem.message().contains("host 7"));
}
