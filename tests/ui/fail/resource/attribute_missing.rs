palisade::api!("../../openapi.yaml");

#[derive(palisade::Resource)]
#[resource(api::resource::Task)]
struct TaskRow {
    #[attribute]
    assignee: String,
}

fn main() {}
