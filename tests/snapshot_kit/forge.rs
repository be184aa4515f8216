//! Snapshots and journals put together by hand, after `docs/snapshot-format.md` and not with the code that is tested: with checksums that fit
//! whatever is in them.

/// Where the sections of a snapshot begin: after the header and two lengths.
pub const SECTIONS: usize = 32;
const HEADER: usize = 24;
const CHECKSUM: usize = 8;

pub fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

fn length(bytes: &[u8]) -> [u8; 4] {
    (bytes.len() as u32).to_le_bytes()
}

/// A snapshot with this header, these sections, and the checksum that belongs to them.
pub fn snapshot(header: &[u8], image: &[u8], host: &[u8]) -> Vec<u8> {
    let mut bytes = [&header[..HEADER], &length(image), &length(host), image, host].concat();
    bytes.extend(fnv(&bytes).to_le_bytes());
    bytes
}

/// The two sections of a snapshot.
pub fn sections(snapshot: &[u8]) -> (&[u8], &[u8]) {
    let image = u32::from_le_bytes(snapshot[HEADER..HEADER + 4].try_into().expect("four")) as usize;
    snapshot[SECTIONS..snapshot.len() - CHECKSUM].split_at(image)
}

/// The contents of a journal's records.
pub fn records(journal: &[u8]) -> Vec<Vec<u8>> {
    let mut rest = &journal[HEADER..];
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[..4].try_into().expect("four")) as usize;
        records.push(rest[12..12 + length].to_vec());
        rest = &rest[12 + length..];
    }
    records
}

/// A journal with the same records as far as they can be distinguished, but with the fingerprint given, and numbers and checksums that fit. `None`
/// when there is less than a header.
pub fn repaired(journal: &[u8], fingerprint: u64) -> Option<Vec<u8>> {
    let (header, mut rest) = journal.split_at_checked(HEADER)?;
    let mut header = header.to_vec();
    header[8..16].copy_from_slice(&fingerprint.to_le_bytes());
    let mut records = Vec::new();
    while let Some((prefix, behind)) = rest.split_at_checked(12) {
        let length = u32::from_le_bytes(prefix[..4].try_into().expect("four")) as usize;
        let (record, behind) = behind.split_at(length.min(behind.len()));
        records.push(record.to_vec());
        rest = behind;
    }
    Some(self::journal(&header, &records))
}

/// A journal with this header and these records, numbered and with the checksums that belong to them.
pub fn journal(header: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = header[..HEADER].to_vec();
    let mut salt = fnv(&bytes);
    for (number, record) in (0u32..).zip(records) {
        let hash = fnv(&[&salt.to_le_bytes()[..], &number.to_le_bytes(), record].concat());
        if number == 0 {
            salt = hash;
        }
        bytes.extend(length(record));
        bytes.extend(number.to_le_bytes());
        bytes.extend(((hash ^ hash >> 32) as u32).to_le_bytes());
        bytes.extend(record);
    }
    bytes
}
