//! The service from outside: through its router, and over real sockets.

mod client;
mod errors;
mod faults;
mod hostile;
mod life;
mod limits;
mod operators;
mod party;
mod restart;
mod rig;
mod sockets;
mod stores;
mod tenants;
