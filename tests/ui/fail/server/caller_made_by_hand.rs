palisade::api!("../../openapi.yaml");

use palisade::Caller;

fn by_literal() -> Caller<api::GetTask> {
    Caller { passed: (), operation: std::marker::PhantomData }
}

fn by_constructor() -> Caller<api::GetTask> {
    Caller::new(())
}

fn by_default() -> Caller<api::GetTask> {
    Default::default()
}

fn from_another(caller: Caller<api::GetStatus>) -> Caller<api::GetTask> {
    caller
}

fn twice(caller: &Caller<api::GetTask>) -> Caller<api::GetTask> {
    caller.clone()
}

fn main() {}
