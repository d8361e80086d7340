palisade::api!("../../openapi.yaml");

#[derive(palisade::Resource)]
#[resource(api::resource::Task)]
struct TaskRow {
    #[attribute]
    asignee: String,
    #[attribute]
    urgent: bool,
}

fn main() {}
