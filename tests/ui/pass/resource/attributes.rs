//! Fields become the attributes of the document's resource, under their own name or a given one.
palisade::api!("../../openapi.yaml");

use api::resource::Task;

#[derive(palisade::Resource)]
#[resource(api::resource::Task)]
struct TaskRow {
    #[attribute]
    assignee: std::sync::Arc<str>,
    #[attribute(rename = "urgent")]
    is_urgent: bool,
}

fn main() {
    let row = TaskRow { assignee: "mia".into(), is_urgent: true };
    assert_eq!(row.assignee(), "mia");
    assert!(row.urgent());
}
