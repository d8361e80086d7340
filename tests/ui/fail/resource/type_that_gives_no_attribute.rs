palisade::api!("../../openapi.yaml");

#[derive(palisade::Resource)]
#[resource(api::resource::Task)]
struct TaskRow {
    #[attribute]
    assignee: std::time::Duration,
    #[attribute]
    urgent: bool,
}

fn main() {}
