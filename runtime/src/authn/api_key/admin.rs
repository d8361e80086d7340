//! Making, listing, rotating and revoking keys from within a server.
//!
//! Rules:
//! 1. what a key grants, whoever makes it may grant: asked of every scope of a new key, and of a rotated one, for its
//!    maker gets the new text;
//! 2. where the scheme says `rotate-within`, a key has a `not_after` within it, and that is the default;
//! 3. the text of a key is in the answer that made it, as a [`Secret`], and nowhere else. Lists have neither text nor
//!    hash;
//! 4. of one that is [bounded to a tenant](KeyAdmin::of_tenant) the keys of others are not there, and it makes none for others. Any
//!    other goes by owners and ids alone, whatever their tenants. What is bounded to one tenant is not to be had for another, and not
//!    even the id of another's key is told, where a store of one's own knows no tenants either.

mod error;

use std::time::Duration;

pub use self::error::KeyAdminError;
use super::{
    ApiKeys,
    change::Change,
    record::{KeyRecord, KeyState, NewKey},
    store::{KeyQuery, KeyStoreError},
};
use crate::{
    authn::{Fault, SetupError},
    clock::{Clock, Now},
    operation::{Document, SchemeKind},
    secret::Secret,
};

/// Most keys of a page.
const PAGE: usize = 100;
/// How often a store is asked for one page. One that knows tenants is asked once.
const ROUNDS: usize = 10;

/// Manages the keys of a scheme. Handlers of an application call it behind a scope of their own.
#[derive(Clone, Debug)]
pub struct KeyAdmin {
    keys: ApiKeys,
    prefix: &'static str,
    rotate_within: Option<Duration>,
    tenant: Option<String>,
    clock: Clock,
}

/// A key that is asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyRequest {
    /// Whom it stands for.
    pub owner: String,
    /// For which tenant, where there are tenants.
    pub tenant: Option<String>,
    /// What it grants.
    pub scopes: Vec<String>,
    /// What people call it.
    pub name: Option<String>,
    /// The addresses and networks that it is good from; empty: from everywhere.
    pub addresses: Vec<String>,
    /// The operations that it is good for, by their ids; empty: for all that its scopes open.
    pub operations: Vec<String>,
    /// How long it is good. Without it, until it is revoked, or for the scheme's `rotate-within`.
    pub lifetime: Option<Duration>,
}

/// A key that was just made: its text is shown once.
#[derive(Debug)]
pub struct IssuedKey {
    /// The whole key, to hand to its owner.
    pub key: Secret<String>,
    /// What is known of it from now on.
    pub info: KeyInfo,
}

/// What may be shown of a key. Times are in seconds since 1970.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyInfo {
    /// The public id.
    pub id: String,
    /// Whom it stands for.
    pub owner: String,
    /// For which tenant.
    pub tenant: Option<String>,
    /// What people call it.
    pub name: Option<String>,
    /// What it grants.
    pub scopes: Vec<String>,
    /// The networks that it is good from, if not from everywhere.
    pub addresses: Vec<String>,
    /// The operations that it is good for, if not for all.
    pub operations: Vec<String>,
    /// When it was made.
    pub created: Option<u64>,
    /// From when it is good no more.
    pub not_after: Option<u64>,
    /// When it was last used, to a minute or so.
    pub last_used: Option<u64>,
    /// The key that was made in its place.
    pub successor: Option<String>,
    /// The key in whose place it was made.
    pub replaces: Option<String>,
    /// Whether it is good.
    pub state: KeyState,
}

/// Some keys, in the order of their ids.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// These.
    pub keys: Vec<KeyInfo>,
    /// The `after` of the next page, if there is one.
    pub next: Option<String>,
}

impl KeyAdmin {
    /// Manages the keys of this scheme of the document.
    ///
    /// # Errors
    /// When the document has no such scheme, or it is of another kind.
    pub fn new(keys: &ApiKeys, document: &'static Document, scheme: &str) -> Result<Self, SetupError> {
        let fault = |fault| SetupError { scheme: scheme.to_owned(), fault };
        let found = document.schemes.iter().find(|known| known.name == scheme);
        let SchemeKind::ApiKey(rules) = &found.ok_or_else(|| fault(Fault::NoSuchScheme))?.kind else {
            return Err(fault(Fault::OtherKind));
        };
        let (prefix, rotate_within) = (rules.prefix.unwrap_or("key"), rules.rotate_within);
        Ok(Self { keys: keys.clone(), prefix, rotate_within, tenant: None, clock: Clock::system() })
    }

    /// Bounded to the keys of one tenant, such as that of who calls: it makes keys of it, whether their requests say so or not, and
    /// finds, lists, rotates and revokes no others. Keys without a tenant are others.
    ///
    /// # Errors
    /// When this is bounded to another tenant.
    pub fn of_tenant(&self, tenant: &str) -> Result<Self, KeyAdminError> {
        self.check_tenant(Some(tenant))?;
        Ok(Self { tenant: Some(tenant.to_owned()), ..self.clone() })
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Makes a key. `may_grant`: whether whoever asks may grant this scope.
    ///
    /// # Errors
    /// When a scope may not be granted, the key would be of another tenant than this is bounded to, it cannot be so, or the store
    /// does not take it.
    pub async fn create(
        &self,
        request: &KeyRequest,
        may_grant: impl Fn(&str) -> bool,
    ) -> Result<IssuedKey, KeyAdminError> {
        check_granted(&request.scopes, may_grant)?;
        let tenant = request.tenant.as_deref().or(self.tenant.as_deref());
        self.check_tenant(tenant)?;
        let now = self.clock.now()?;
        let scopes: Vec<&str> = request.scopes.iter().map(String::as_str).collect();
        let end = self.end(request.lifetime, now)?;
        let mut new = NewKey::generate(self.prefix, &request.owner, &scopes, now, end)?;
        if let Some(name) = &request.name {
            new = new.named(name)?;
        }
        if let Some(tenant) = tenant {
            new = new.of_tenant(tenant)?;
        }
        let new = new.bounded(&request.addresses, &request.operations)?.peppered(&self.keys.peppers);
        self.keys.engine.change(&Change::Create(new.record.clone())).await?;
        Ok(self.issued(new, now))
    }

    /// What is known of a key.
    ///
    /// # Errors
    /// When there is none with this id, or the store cannot be asked.
    pub async fn find(&self, id: &str) -> Result<KeyInfo, KeyAdminError> {
        let found = self.record(id).await?;
        Ok(self.info(found, self.clock.now()?))
    }

    /// A page of at most `limit` keys (at most 100), those of one owner or of all, behind the id `after`.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub async fn list(
        &self,
        owner: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<KeyPage, KeyAdminError> {
        let now = self.clock.now()?;
        let limit = limit.clamp(1, PAGE);
        let (owner, after, tenant) =
            (owner.map(str::to_owned), after.map(str::to_owned), self.tenant.clone());
        // one more than is shown says whether there is a next page
        let query = KeyQuery { owner, tenant, after, limit: limit + 1 };
        let mut found = self.records(query).await?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|record| record.id.clone());
        Ok(KeyPage { keys: found.into_iter().map(|record| self.info(record, now)).collect(), next })
    }

    /// What is asked for and nothing else, whatever the store shows (rule 4).
    async fn records(&self, mut query: KeyQuery) -> Result<Vec<KeyRecord>, KeyStoreError> {
        let mut records = Vec::new();
        for _ in 0..ROUNDS {
            let found = self.keys.engine.list(&query).await?;
            let is_last = found.len() < query.limit;
            query.after = found.last().map(|record| record.id.clone());
            records.extend(found.into_iter().filter(|record| query.is_of(record)));
            if is_last || records.len() >= query.limit {
                return Ok(records);
            }
        }
        Err(KeyStoreError::unavailable("the store shows keys that it was not asked for"))
    }

    /// Makes a key in the place of `id`, which is good for `overlap` from now on, and never beyond its own end. The key
    /// in whose place `id` was made is revoked.
    ///
    /// # Errors
    /// When there is no such key, it is revoked, over or was rotated before (one that is overdue under `rotate-within` is rotated: that is
    /// how its holder gets another), it grants what whoever asks may not grant, or
    /// the store does not do it.
    pub async fn rotate(
        &self,
        id: &str,
        overlap: Duration,
        may_grant: impl Fn(&str) -> bool,
    ) -> Result<IssuedKey, KeyAdminError> {
        let old = self.record(id).await?;
        check_granted(&old.scopes, may_grant)?;
        let now = self.clock.now()?;
        let end = self.end(None, now)?;
        let successor = NewKey::succeeding(&old, self.prefix, now, None)?;
        let mut successor = successor.peppered(&self.keys.peppers);
        successor.record.not_after = successor.record.not_after.into_iter().chain(end).min();
        let at = now.unix();
        let change = Change::Rotate {
            id: id.to_owned(),
            successor: successor.record.clone(),
            at,
            until: at.saturating_add(overlap.as_secs()),
        };
        self.keys.engine.change(&change).await?;
        Ok(self.issued(successor, now))
    }

    /// Revokes a key: in this server at once, and in every other that shares the keys with its next request; where they stand in a
    /// file, within a second. One that is revoked already stays so.
    ///
    /// # Errors
    /// When there is no such key, or the store does not do it.
    pub async fn revoke(&self, id: &str) -> Result<(), KeyAdminError> {
        if self.tenant.is_some() {
            self.record(id).await?; // 4
        }
        let at = self.clock.now()?.unix();
        self.keys.engine.change(&Change::Revoke { id: id.to_owned(), at }).await?;
        Ok(())
    }

    /// Revokes every key of an owner, in whatever tenant; answers how many were good until now or had ended by themselves. Then none
    /// is good in any server that was made before this was called. One that is being made in a [`State`](crate::State) meanwhile may
    /// be there afterwards.
    ///
    /// # Errors
    /// When this is bounded to a tenant: the owner's keys of others would end as well. When the store does not do it, or is not done
    /// within two seconds. Keys in a state go on being revoked then: do it again to be told when they are. Where one cannot be
    /// revoked, the others are.
    pub async fn revoke_owner(&self, owner: &str) -> Result<usize, KeyAdminError> {
        if self.tenant.is_some() {
            return Err(KeyAdminError::OtherTenant); // 4
        }
        let at = self.clock.now()?.unix();
        Ok(self.keys.engine.change(&Change::RevokeOwner { owner: owner.to_owned(), at }).await?)
    }

    async fn record(&self, id: &str) -> Result<KeyRecord, KeyAdminError> {
        let found = self.keys.engine.find(id).await?;
        let found = found.filter(|key| !self.is_of_others(key.record.tenant.as_deref()));
        Ok(found.ok_or(KeyStoreError::NotFound)?.snapshot())
    }

    /// Rule 4.
    fn check_tenant(&self, tenant: Option<&str>) -> Result<(), KeyAdminError> {
        if self.is_of_others(tenant) { Err(KeyAdminError::OtherTenant) } else { Ok(()) }
    }

    /// Rule 4.
    fn is_of_others(&self, tenant: Option<&str>) -> bool {
        self.tenant.is_some() && self.tenant.as_deref() != tenant
    }

    /// Rule 2.
    fn end(&self, lifetime: Option<Duration>, now: Now) -> Result<Option<u64>, KeyAdminError> {
        let longest = self.rotate_within.unwrap_or(Duration::MAX);
        let Some(lifetime) = lifetime.or(self.rotate_within) else { return Ok(None) };
        if lifetime > longest || lifetime.as_secs() == 0 {
            return Err(KeyAdminError::Lifetime);
        }
        Ok(Some(now.unix().saturating_add(lifetime.as_secs())))
    }

    fn issued(&self, new: NewKey, now: Now) -> IssuedKey {
        IssuedKey { key: new.key, info: self.info(new.record, now) }
    }

    fn info(&self, record: KeyRecord, now: Now) -> KeyInfo {
        KeyInfo {
            state: record.state(now, self.rotate_within),
            id: record.id,
            owner: record.owner,
            tenant: record.tenant,
            name: record.name,
            scopes: record.scopes,
            addresses: record.addresses,
            operations: record.operations,
            created: record.created,
            not_after: record.not_after,
            last_used: record.last_used,
            successor: record.successor,
            replaces: record.replaces,
        }
    }
}

/// Rule 1.
fn check_granted(scopes: &[String], may_grant: impl Fn(&str) -> bool) -> Result<(), KeyAdminError> {
    if scopes.iter().all(|scope| may_grant(scope)) { Ok(()) } else { Err(KeyAdminError::NotGranted) }
}

impl KeyState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Overdue => "overdue",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}
