//! The same login by a provider that others wrote.
