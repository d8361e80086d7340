#[derive(Debug, palisade::Problem)]
enum Broken {
    #[problem(status = 200, code = "fine", message = "not an error")]
    NotAnError,
    #[problem(status = 409, code = "TaskExists", message = "there already")]
    Code,
    #[problem(status = 409, code = "task_exists", message = "")]
    Message,
    #[problem(status = 409, code = "two", mesage = "slip")]
    Slip,
    #[problem(status = 409, message = "no code")]
    NoCode,
    NothingSaid,
    #[problem(status = 409, code = "gone", message = "gone")]
    Gone,
    #[problem(status = 410, code = "gone", message = "gone")]
    GoneToo,
}

fn main() {}
