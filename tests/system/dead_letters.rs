//! Messages that die: what becomes of them, of the audits that wait for them, and what an operator can do about them.

mod given_up;
mod lost;
mod operator;
mod settled;
mod split;
