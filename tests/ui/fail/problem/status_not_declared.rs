palisade::api!("../../openapi.yaml");

#[derive(Debug, palisade::Problem)]
#[problem(operations(api::AddTask))]
enum AddTaskError {
    #[problem(status = 409, code = "task_exists", message = "a task of this title is there already")]
    Exists,
    #[problem(status = 410, code = "list_closed", message = "the list takes no more tasks")]
    Closed,
}

fn main() {}
