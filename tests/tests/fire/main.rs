//! Several server processes on one Redis and one database, killed at random while they work: what is exact stays exact.

mod fleet;
mod limits;
mod places;
mod transfers;
