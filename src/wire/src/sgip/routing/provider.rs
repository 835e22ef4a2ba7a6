//! Access numbers of SPs: `ADDSP`, `MODIFYSP`, `DELETESP`.

use crate::sgip::field::body;
use crate::text::Text;

body! {
    /// `ADDSP`, 70 bytes with the header.
    ///
    /// | field      | size | meaning |
    /// |------------|------|---------|
    /// | SMGId      | 6    | of the gateway that the SP is at |
    /// | SPNumber   | 21   | access number |
    /// | ServiceTag | 10   | |
    /// | CorpId     | 5    | enterprise code |
    /// | Reserve    | 8    | |
    pub struct AddSp {
        smg_id: Text<6> = "SMGId",
        sp_number: Text<21> = "SPNumber",
        service_tag: Text<10> = "ServiceTag",
        corp_id: Text<5> = "CorpId",
    }
}

body! {
    /// `MODIFYSP`, 101 bytes with the header.
    ///
    /// | field         | size | meaning |
    /// |---------------|------|---------|
    /// | SMGId         | 6    | of the gateway that the SP is at |
    /// | OldSPNumber   | 21   | access number |
    /// | OldServiceTag | 10   | |
    /// | NewSPNumber   | 21   | |
    /// | NewServiceTag | 10   | |
    /// | CorpId        | 5    | enterprise code |
    /// | Reserve       | 8    | |
    pub struct ModifySp {
        smg_id: Text<6> = "SMGId",
        old_sp_number: Text<21> = "OldSPNumber",
        old_service_tag: Text<10> = "OldServiceTag",
        new_sp_number: Text<21> = "NewSPNumber",
        new_service_tag: Text<10> = "NewServiceTag",
        corp_id: Text<5> = "CorpId",
    }
}

body! {
    /// `DELETESP`, 65 bytes with the header.
    ///
    /// | field      | size | meaning |
    /// |------------|------|---------|
    /// | SMGId      | 6    | of the gateway that the SP is at |
    /// | SPNumber   | 21   | access number |
    /// | ServiceTag | 10   | |
    /// | Reserve    | 8    | |
    pub struct DeleteSp {
        smg_id: Text<6> = "SMGId",
        sp_number: Text<21> = "SPNumber",
        service_tag: Text<10> = "ServiceTag",
    }
}
