palisade::api!("../../openapi.yaml");

use palisade::{Caller, Holds};

fn add(_: &impl Holds<api::scope::TasksWrite>) {}

// A partner's key gets in without the scope.
fn handler(caller: Caller<api::AddTask>) {
    add(&caller);
}

fn main() {}
