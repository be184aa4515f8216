//! A snapshot: header, the lengths of the two sections, the sections, a checksum.
//!
//! The engine's section is an [`Image`]. The host's section has what the host knows: payloads, the store, unread
//! events. It is carried as it is.

use super::header::{Header, Kind, LENGTH, number};
use super::{v1, v2};
use crate::engine::{Condition, Image};
use crate::error::Code;
use crate::hash::fnv;
use crate::wire::{self, Wire};

/// A snapshot that was opened.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot<'a> {
    /// The header.
    pub header: Header,
    /// The engine's section.
    pub image: Image,
    /// The host's section.
    pub host: &'a [u8],
}

/// Where the sections begin: after the header and two lengths.
const SECTIONS: usize = LENGTH + 8;
const CHECKSUM: usize = 8;

/// The bytes of a snapshot.
///
/// # Errors
/// [`Code::SnapshotValue`] when a section is too long to be addressed (4 GiB).
pub fn write(fingerprint: u64, image: &Image, host: &[u8]) -> Result<Vec<u8>, Code> {
    write_encoded(fingerprint, &encode_image(image), host)
}

/// As [`write()`], of an image that is encoded already.
///
/// # Errors
/// As [`write()`]; [`Code::SnapshotInvalid`] when the image does not begin as one.
pub fn write_encoded(fingerprint: u64, section: &[u8], host: &[u8]) -> Result<Vec<u8>, Code> {
    let sequence = ticks_of(section).ok_or(Code::SnapshotInvalid)?;
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| Code::SnapshotValue);
    let mut bytes = Vec::with_capacity(SECTIONS + section.len() + host.len() + CHECKSUM);
    Header::new(Kind::Snapshot, fingerprint, sequence).write(&mut bytes);
    bytes.extend(length(section)?.to_le_bytes());
    bytes.extend(length(host)?.to_le_bytes());
    bytes.extend(section);
    bytes.extend(host);
    bytes.extend(fnv(&bytes).to_le_bytes());
    Ok(bytes)
}

/// The ticks of an encoded image: its second field.
fn ticks_of(section: &[u8]) -> Option<u64> {
    let mut reader = wire::Reader::new(section);
    Condition::get(&mut reader);
    let ticks = u64::get(&mut reader);
    (!reader.is_wrong()).then_some(ticks)
}

/// Opens a snapshot. The checksum has been compared and the image decoded;
/// [`Engine::restore`](crate::engine::Engine::restore) checks the image itself.
///
/// # Errors
/// Those of [`Header::read`]; [`Code::SnapshotTruncated`] when the end is missing, [`Code::SnapshotAltered`] when the
/// checksum does not fit, [`Code::SnapshotInvalid`] when the image cannot be decoded.
pub fn read(bytes: &[u8]) -> Result<Snapshot<'_>, Code> {
    let (header, rest) = Header::read(bytes, Kind::Snapshot)?;
    let (lengths, sections) = rest.split_at_checked(SECTIONS - LENGTH).ok_or(Code::SnapshotTruncated)?;
    let (image, host) = (number(&lengths[..4]), number(&lengths[4..]));
    // In 64 bits, where two lengths of 32 cannot overflow.
    match (image + host + CHECKSUM as u64).cmp(&(sections.len() as u64)) {
        core::cmp::Ordering::Greater => return Err(Code::SnapshotTruncated),
        core::cmp::Ordering::Less => return Err(Code::SnapshotAltered),
        core::cmp::Ordering::Equal => {}
    }
    let (content, checksum) = bytes.split_at(bytes.len() - CHECKSUM);
    if fnv(content) != number(checksum) {
        return Err(Code::SnapshotAltered);
    }
    let (image, host) = content[SECTIONS..].split_at(image as usize);
    let image = decode_image(image, header.version)?;
    if image.ticks != header.sequence {
        return Err(Code::SnapshotInvalid);
    }
    Ok(Snapshot { header, image, host })
}

/// An image alone, as the section of a snapshot holds it.
#[must_use]
pub fn encode_image(image: &Image) -> Vec<u8> {
    wire::to_bytes(image)
}

/// The opposite of [`encode_image`], for an image in any version of the format.
///
/// # Errors
/// [`Code::SnapshotInvalid`]
pub fn decode_image(bytes: &[u8], version: u8) -> Result<Image, Code> {
    let image = match version {
        1 => wire::read(bytes, v1::image),
        2 => wire::read(bytes, v2::image),
        _ => wire::from_bytes(bytes),
    };
    image.ok_or(Code::SnapshotInvalid)
}
