//! Number segments: `ADDTELESEG`, `MODIFYTELESEG`, `DELETETELESEG`.

use crate::sgip::field::body;
use crate::text::Text;

body! {
    /// `ADDTELESEG`, 46 bytes with the header.
    ///
    /// | field    | size | meaning |
    /// |----------|------|---------|
    /// | SMGId    | 6    | of the gateway that serves the segment |
    /// | TeleSeg  | 7    | first digits of its numbers |
    /// | TeleType | 1    | |
    /// | AreaCode | 4    | |
    /// | Reserve  | 8    | |
    pub struct AddTeleSeg {
        smg_id: Text<6> = "SMGId",
        segment: Text<7> = "TeleSeg",
        kind: u8 = "TeleType",
        area_code: Text<4> = "AreaCode",
    }
}

body! {
    /// `MODIFYTELESEG`, 53 bytes with the header.
    ///
    /// | field       | size | meaning |
    /// |-------------|------|---------|
    /// | SMGId       | 6    | of the gateway that serves the segment |
    /// | OldTeleSeg  | 7    | first digits of its numbers |
    /// | NewTeleSeg  | 7    | |
    /// | NewTeleType | 1    | |
    /// | NewAreaCode | 4    | |
    /// | Reserve     | 8    | |
    pub struct ModifyTeleSeg {
        smg_id: Text<6> = "SMGId",
        old_segment: Text<7> = "OldTeleSeg",
        new_segment: Text<7> = "NewTeleSeg",
        new_kind: u8 = "NewTeleType",
        new_area_code: Text<4> = "NewAreaCode",
    }
}

body! {
    /// `DELETETELESEG`, 41 bytes with the header.
    ///
    /// | field   | size | meaning |
    /// |---------|------|---------|
    /// | SMGId   | 6    | of the gateway that serves the segment |
    /// | TeleSeg | 7    | first digits of its numbers |
    /// | Reserve | 8    | |
    pub struct DeleteTeleSeg {
        smg_id: Text<6> = "SMGId",
        segment: Text<7> = "TeleSeg",
    }
}
