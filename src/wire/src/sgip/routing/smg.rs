//! Gateways: `ADDSMG`, `MODIFYSMG`, `DELETESMG`.

use std::net::Ipv4Addr;

use crate::sgip::field::body;
use crate::sgip::private::Password;
use crate::text::Text;

body! {
    /// `ADDSMG`, 70 bytes with the header.
    ///
    /// | field     | size | meaning |
    /// |-----------|------|---------|
    /// | SMGId     | 6    | |
    /// | SMGIP     | 4    | its address |
    /// | LoginName | 16   | text |
    /// | Password  | 16   | text, in clear |
    /// | Reserve   | 8    | |
    pub struct AddSmg {
        smg_id: Text<6> = "SMGId",
        address: Ipv4Addr = "SMGIP",
        login_name: Text<16> = "LoginName",
        password: Password = "Password",
    }
}

body! {
    /// `MODIFYSMG`, 76 bytes with the header.
    ///
    /// | field     | size | meaning |
    /// |-----------|------|---------|
    /// | OldSMGId  | 6    | |
    /// | NewSMGId  | 6    | |
    /// | SMGIP     | 4    | its address |
    /// | LoginName | 16   | text |
    /// | Password  | 16   | text, in clear |
    /// | Reserve   | 8    | |
    pub struct ModifySmg {
        old_smg_id: Text<6> = "OldSMGId",
        new_smg_id: Text<6> = "NewSMGId",
        address: Ipv4Addr = "SMGIP",
        login_name: Text<16> = "LoginName",
        password: Password = "Password",
    }
}

body! {
    /// `DELETESMG`, 34 bytes with the header.
    ///
    /// | field   | size | meaning |
    /// |---------|------|---------|
    /// | SMGId   | 6    | |
    /// | Reserve | 8    | |
    pub struct DeleteSmg {
        smg_id: Text<6> = "SMGId",
    }
}
