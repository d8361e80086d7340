#[derive(palisade::Resource)]
struct TaskRow {
    #[attribute]
    assignee: String,
}

#[derive(palisade::Resource)]
#[resource(tasks::Task)]
struct Slip {
    #[attribute(renamed = "assignee")]
    who: String,
}

fn main() {}
