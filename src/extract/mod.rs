//! Pure functions from bytes and text to readings. No I/O, no clock, no network.

pub mod feed;
pub mod html;
pub mod reservation;
pub mod text;
pub mod title;
