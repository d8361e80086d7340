//! The bearer tokens of a scheme: verified by its kind of token, then looked up in the denylist where the document asks
//! for that (step 7 of the gate).

#[cfg(feature = "outbound")]
use super::introspection::Introspector;
use super::{
    Denylist, Principal, Reason, binding::Possession, dpop::Use, jwt::TokenVerifier, present::Shown,
};
use crate::clock::Now;

/// Judges the tokens of one scheme.
pub(crate) struct Tokens {
    how: How,
    denylist: Option<Denylist>,
}

/// Whose token it is, and the proof that was shown beside it, which is good once.
pub(crate) struct Judged {
    pub(crate) principal: Principal,
    pub(crate) used: Option<Use>,
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

    /// As [`Tokens::judge`], by what is at hand. `None`: its issuer must be asked, about the token or for its keys.
    pub(in crate::authn) async fn judge_at_hand(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        local: bool,
        now: Now,
    ) -> Option<Result<Judged, Reason>> {
        let judged = match &self.how {
            How::Signed(verifier) if verifier.loopback_only && !local => Err(Reason::NotLoopback),
            How::Signed(verifier) => verifier.judge_at_hand(token, shown, now)?,
            #[cfg(feature = "outbound")]
            How::Introspected(_) => return None,
        };
        Some(self.unless_denied(judged, now).await)
    }

    /// Judges `token`. `shown`: what else the request shows; `local`: it comes from this machine.
    pub(in crate::authn) async fn judge(
        &self,
        token: &[u8],
        shown: &Shown<'_>,
        local: bool,
        now: Now,
    ) -> Result<Judged, Reason> {
        let judged = match &self.how {
            How::Signed(verifier) if verifier.loopback_only && !local => Err(Reason::NotLoopback),
            How::Signed(verifier) => verifier.judge_and_look_again(token, shown, now).await,
            #[cfg(feature = "outbound")]
            How::Introspected(introspector) => introspector.judge(token, shown, now).await,
        };
        self.unless_denied(judged, now).await
    }

    async fn unless_denied(&self, judged: Result<Judged, Reason>, now: Now) -> Result<Judged, Reason> {
        let judged = judged?;
        if let Some(denylist) = &self.denylist {
            denylist.check(&judged.principal, now).await?;
        }
        Ok(judged)
    }

    /// What its tokens must be bound to, and who judges that.
    pub(in crate::authn) const fn possession(&self) -> &Possession {
        match &self.how {
            How::Signed(verifier) => &verifier.possession,
            #[cfg(feature = "outbound")]
            How::Introspected(introspector) => &introspector.possession,
        }
    }

    /// Whether each of them has a tenant.
    pub(in crate::authn) const fn names_tenants(&self) -> bool {
        match &self.how {
            How::Signed(verifier) => verifier.names_tenants(),
            #[cfg(feature = "outbound")]
            How::Introspected(introspector) => introspector.names_tenants(),
        }
    }

    /// Whether their issuer answers, where it is asked, as far as is known.
    pub(in crate::authn) fn issuer_answers(&self) -> bool {
        match &self.how {
            How::Signed(verifier) => verifier.has_current_keys(),
            #[cfg(feature = "outbound")]
            How::Introspected(introspector) => introspector.answers(),
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
