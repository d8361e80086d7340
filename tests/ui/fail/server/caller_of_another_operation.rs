palisade::api!("../../openapi.yaml");

use palisade::Caller;

fn add(_: &Caller<api::AddTask>) {}

fn get(caller: Caller<api::GetTask>) {
    add(&caller);
}

fn main() {}
