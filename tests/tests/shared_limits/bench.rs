//! Two instances of a server, and the Redis that counts for both.

use std::time::{Duration, Instant};

use palisade::{Caller, Jwt, Problem, Settings, SharedLimits};
use palisade_tests::client::{Client, Reply};
use palisade_tests::redis_server::Server;
use palisade_tests::tokens::Signer;
use palisade_tests::waiting::Waiting;

use crate::api::*;

#[derive(Clone, Default)]
pub struct Service(pub Waiting);

impl Shared for Service {
    async fn get_waits(&self, _: Caller<GetWaits>, _: GetWaitsInput) -> Result<GetWaitsOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsOutput::NoContent)
    }

    async fn get_waits_sure(
        &self,
        _: Caller<GetWaitsSure>,
        _: GetWaitsSureInput,
    ) -> Result<GetWaitsSureOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsSureOutput::NoContent)
    }

    async fn get_waits_open(
        &self,
        _: Caller<GetWaitsOpen>,
        _: GetWaitsOpenInput,
    ) -> Result<GetWaitsOpenOutput, Problem> {
        self.0.wait().await;
        Ok(GetWaitsOpenOutput::NoContent)
    }

    async fn get_few(&self, _: Caller<GetFew>, _: GetFewInput) -> Result<GetFewOutput, Problem> {
        Ok(GetFewOutput::NoContent)
    }

    async fn get_sure(&self, _: Caller<GetSure>, _: GetSureInput) -> Result<GetSureOutput, Problem> {
        Ok(GetSureOutput::NoContent)
    }

    async fn get_open(&self, _: Caller<GetOpen>, _: GetOpenInput) -> Result<GetOpenOutput, Problem> {
        Ok(GetOpenOutput::NoContent)
    }

    async fn get_brief(&self, _: Caller<GetBrief>, _: GetBriefInput) -> Result<GetBriefOutput, Problem> {
        Ok(GetBriefOutput::NoContent)
    }

    async fn get_sliding(
        &self,
        _: Caller<GetSliding>,
        _: GetSlidingInput,
    ) -> Result<GetSlidingOutput, Problem> {
        Ok(GetSlidingOutput::NoContent)
    }

    async fn get_fixed(&self, _: Caller<GetFixed>, _: GetFixedInput) -> Result<GetFixedOutput, Problem> {
        Ok(GetFixedOutput::NoContent)
    }

    async fn get_door(&self, _: Caller<GetDoor>, _: GetDoorInput) -> Result<GetDoorOutput, Problem> {
        Ok(GetDoorOutput::NoContent)
    }

    async fn get_log(&self, _: Caller<GetLog>, _: GetLogInput) -> Result<GetLogOutput, Problem> {
        Ok(GetLogOutput::NoContent)
    }

    async fn get_steps(&self, _: Caller<GetSteps>, _: GetStepsInput) -> Result<GetStepsOutput, Problem> {
        Ok(GetStepsOutput::NoContent)
    }

    async fn get_site(&self, _: Caller<GetSite>, _: GetSiteInput) -> Result<GetSiteOutput, Problem> {
        Ok(GetSiteOutput::NoContent)
    }

    async fn log_in(&self, _: Caller<LogIn>, input: LogInInput) -> Result<LogInOutput, Problem> {
        match input.body.secret.as_deref() {
            Some("right") => Ok(LogInOutput::NoContent),
            _ => Err(Problem::new(401, "wrong", "wrong name or password")),
        }
    }
}

/// Two instances, each with connections of its own to one Redis.
pub struct Bench {
    pub redis: Server,
    pub instances: [Client; 2],
    pub signer: Signer,
}

impl Bench {
    pub async fn start() -> Self {
        let (redis, signer) = (Server::durable().await, Signer::new("k1"));
        let instances = [instance(&redis, &signer).await, instance(&redis, &signer).await];
        Self { redis, instances, signer }
    }

    pub async fn get(&self, instance: usize, path: &str, subject: &str) -> Reply {
        self.instances[instance].get(path).token(&self.signer.token(subject, "")).send().await
    }

    pub async fn log_in(&self, instance: usize, secret: &str) -> Reply {
        let body = format!(r#"{{"username":"alice","secret":"{secret}"}}"#);
        self.instances[instance].post("/login", &body).send().await
    }

    /// Until both instances have found it again.
    pub async fn recovers(&self) {
        let began = Instant::now();
        for instance in [0, 1] {
            while self.get(instance, "/sure", "somebody").await.status == 503 {
                assert!(began.elapsed() < Duration::from_secs(10), "it does not come back");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One that waits as long as a busy machine may need.
pub async fn instance(redis: &Server, signer: &Signer) -> Client {
    patient(redis, signer, Duration::from_secs(1)).await
}

pub async fn patient(redis: &Server, signer: &Signer, patience: Duration) -> Client {
    let shared = SharedLimits::redis(&redis.url(), 2).await.expect("Redis answers").patience(patience);
    run(signer, Settings::new().limits_in(shared)).await
}

pub async fn run(signer: &Signer, settings: Settings) -> Client {
    run_with(Service::default(), signer, settings).await
}

pub async fn run_with(service: Service, signer: &Signer, settings: Settings) -> Client {
    let keys = palisade::JwkSet::from_json(signer.jwks()).expect("a key set");
    let server = server(service).token(Jwt::new(keys)).settings(settings).build().expect("a complete server");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client(listener.local_addr().unwrap());
    tokio::spawn(async move { palisade::serve(server).listener(listener).await.expect("it serves") });
    client
}
