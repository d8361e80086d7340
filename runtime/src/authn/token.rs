//! The bearer tokens of a scheme: verified by its kind of token, then looked up in the denylist where the document asks
//! for that (step 7 of the gate).

#[cfg(feature = "outbound")]
use super::introspection::Introspector;
use super::{Denylist, Principal, Reason, certificate::ClientCertificate, jwt::TokenVerifier};
use crate::{clock::Now, operation::Binding};

/// Judges the tokens of one scheme.
pub(crate) struct Tokens {
    how: How,
    denylist: Option<Denylist>,
}

enum How {
    Signed(TokenVerifier),
    #[cfg(feature = "outbound")]
    Introspected(Introspector),
}

impl Tokens {
    pub(in crate::authn) const fn signed(verifier: TokenVerifier, denylist: Option<Denylist>) -> Self {
        Self { how: How::Signed(verifier), denylist }
    }

    #[cfg(feature = "outbound")]
    pub(in crate::authn) const fn introspected(verifier: Introspector, denylist: Option<Denylist>) -> Self {
        Self { how: How::Introspected(verifier), denylist }
    }

    /// Judges `token`. `shown`: the certificate of who presents it; `local`: it comes from this machine.
    pub(in crate::authn) async fn judge(
        &self,
        token: &[u8],
        shown: Option<&ClientCertificate>,
        local: bool,
        now: Now,
    ) -> Result<Principal, Reason> {
        let principal = match &self.how {
            How::Signed(verifier) if verifier.loopback_only && !local => return Err(Reason::NotLoopback),
            How::Signed(verifier) => verifier.judge_and_look_again(token, shown, now).await?,
            #[cfg(feature = "outbound")]
            How::Introspected(introspector) => introspector.judge(token, shown, now).await?,
        };
        if let Some(denylist) = &self.denylist {
            denylist.check(&principal, now).await?;
        }
        Ok(principal)
    }

    /// What its tokens must be bound to.
    pub(in crate::authn) const fn binding(&self) -> Binding {
        match &self.how {
            How::Signed(verifier) => verifier.binding,
            #[cfg(feature = "outbound")]
            How::Introspected(introspector) => introspector.binding,
        }
    }

    /// Fetches the keys for the first time, where they are fetched.
    pub(in crate::authn) async fn load(&self) -> Result<(), Reason> {
        match &self.how {
            How::Signed(verifier) => verifier.load().await,
            #[cfg(feature = "outbound")]
            How::Introspected(_) => Ok(()),
        }
    }
}
