//! What an event, and a log line of a failure, says of a request to an endpoint of ours that is no operation of a document: an
//! issuer's, or a login's.
//!
//! Such events are raised far below the endpoint, by functions that an application calls too, without any request. So what is
//! known of the request belongs to the task that answers it, and an event takes it from there.

use std::fmt;
use std::net::IpAddr;

use axum::extract::Request;
use http::HeaderValue;
use http::header::USER_AGENT;

use super::UserAgent;
use crate::RequestId;

tokio::task_local! {
    static ASKING: Asking;
}

/// Who asks, for what, and under which id we speak of it.
#[derive(Clone)]
pub(crate) struct Asking {
    source: IpAddr,
    user_agent: Option<HeaderValue>,
    /// The method and the path. Such endpoints have no parameters in their paths: it is the template.
    endpoint: String,
    request_id: RequestId,
}

impl Asking {
    /// `source`: whom it comes from, past trusted proxies.
    pub(crate) fn of(request: &Request, source: IpAddr, request_id: RequestId) -> Self {
        Self {
            source,
            user_agent: request.headers().get(USER_AGENT).cloned(),
            endpoint: format!("{} {}", request.method(), request.uri().path()),
            request_id,
        }
    }

    /// Events that are raised meanwhile tell of this request.
    pub(crate) async fn during<F: Future>(self, answering: F) -> F::Output {
        ASKING.scope(self, answering).await
    }
}

/// For work of this task that goes on in another.
pub(super) fn asking() -> Option<Asking> {
    ASKING.try_with(Clone::clone).ok()
}

/// One of the facts of the request that is being answered, `-` where there is none.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    Source,
    UserAgent,
    Endpoint,
    RequestId,
}

/// Who asks, where somebody does.
pub(super) fn asked_from() -> Option<IpAddr> {
    ASKING.try_with(|asking| asking.source).ok()
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = ASKING.try_with(|asking| match self {
            Self::Source => asking.source.fmt(f),
            Self::UserAgent => UserAgent(asking.user_agent.as_ref()).fmt(f),
            Self::Endpoint => f.write_str(&asking.endpoint),
            Self::RequestId => asking.request_id.fmt(f),
        });
        told.unwrap_or_else(|_| f.write_str("-"))
    }
}
