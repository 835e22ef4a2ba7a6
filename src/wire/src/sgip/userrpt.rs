//! `USERRPT`: the state of a user has changed, from the carrier.

use super::field::body;
use super::private::UserNumber;
use crate::text::Text;

body! {
    /// `USERRPT`, 71 bytes with the header.
    ///
    /// | field         | size | meaning |
    /// |---------------|------|---------|
    /// | SPNumber      | 21   | access number |
    /// | UserNumber    | 21   | |
    /// | UserCondition | 1    | 0 cancelled, 1 stopped for debt, 2 normal again |
    /// | Reserve       | 8    | |
    pub struct UserRpt {
        sp_number: Text<21> = "SPNumber",
        user: UserNumber = "UserNumber",
        condition: u8 = "UserCondition",
    }
}
