//! Bounds of values, for [`crate::Section::checked`].

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use crate::fault::Problem;

/// For durations that make no sense at zero.
///
/// # Errors
/// It is zero.
pub fn not_zero(duration: &Duration) -> Result<(), Problem> {
    if duration.is_zero() {
        Err(Problem::new("this must not be zero", "write a longer duration"))
    } else {
        Ok(())
    }
}

/// For numbers that make no sense outside of a range; both ends belong to it.
pub fn between<T: PartialOrd + Display + Copy>(low: T, high: T) -> impl Fn(&T) -> Result<(), Problem> {
    move |value| {
        if (low..=high).contains(value) {
            Ok(())
        } else {
            let advice = format!("write a number from {low} to {high}");
            Err(Problem::new("this number is out of range", advice))
        }
    }
}

/// For the path of a Unix socket.
///
/// # Errors
/// It is longer than `sun_path` of `sockaddr_un` less its closing zero.
pub fn socket_path(path: &Path) -> Result<(), Problem> {
    if path.as_os_str().len() < 108 {
        Ok(())
    } else {
        Err(Problem::new("this path is too long for a socket", "use at most 107 bytes"))
    }
}
