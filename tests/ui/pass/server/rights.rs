//! A right that every alternative grants is held; an inner function can ask for it.
palisade::api!("../../openapi.yaml");

use palisade::{Caller, Holds};

fn show(_: &impl Holds<api::scope::TasksRead>) {}

fn handler(caller: Caller<api::GetTask>) {
    show(&caller);
}

fn main() {
    let _ = handler;
}
