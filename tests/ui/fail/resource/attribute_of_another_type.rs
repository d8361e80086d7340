palisade::api!("../../openapi.yaml");

#[derive(palisade::Resource)]
#[resource(api::resource::Task)]
struct TaskRow {
    #[attribute]
    assignee: i64,
    #[attribute]
    urgent: bool,
}

fn main() {}
