//! Every golden PDU of CMPP.

mod vectors;

#[test]
fn the_files_are_read() {
    for text in [include_str!("vectors/cmpp2.txt"), include_str!("vectors/cmpp3.txt")] {
        let vectors = vectors::read(text);
        assert_eq!(vectors.len(), 29);
        assert!(vectors.iter().all(|vector| vector.fields.len() >= 4));
    }
    assert_eq!(vectors::content(0, true, &[1, 2, b'a']), format!("UDH[{}] 'a'", vectors::hex(&[1, 2])));
}
