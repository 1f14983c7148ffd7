//! Answers that are kept.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::answer::Answer;
use super::question::Question;
use super::routes::GroupId;

/// How many bytes an entry costs beside its answer and its names: an estimate, on the high side.
const OVERHEAD: usize = 256;

/// What is looked up: who answers, and to what. The class is IN.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Two groups may know different things about one name.
    pub group: GroupId,
    /// What they are asked.
    pub question: Question,
}

/// Answers until their time is over, bounded in number and in bytes. Where there is no room, what
/// ends first goes first.
#[derive(Debug)]
pub struct Cache {
    entries: HashMap<Key, Entry>,
    /// The keys by the end of their time; the number tells apart those that end at once.
    ends: BTreeMap<(Instant, u64), Key>,
    bytes: usize,
    next: u64,
    most_entries: usize,
    most_bytes: usize,
}

#[derive(Debug)]
struct Entry {
    answer: Rc<Answer>,
    stored: Instant,
    end: (Instant, u64),
    size: usize,
}

impl Cache {
    /// An empty cache.
    pub fn new(most_entries: usize, most_bytes: usize) -> Self {
        Self {
            entries: HashMap::new(),
            ends: BTreeMap::new(),
            bytes: 0,
            next: 0,
            most_entries,
            most_bytes,
        }
    }

    /// An answer, and for how many seconds it has been kept.
    pub fn get(&mut self, key: &Key, now: Instant) -> Option<(Rc<Answer>, u32)> {
        let entry = self.entries.get(key)?;
        if entry.end.0 <= now {
            self.remove(key);
            return None;
        }
        let age = now.saturating_duration_since(entry.stored).as_secs();
        Some((
            Rc::clone(&entry.answer),
            u32::try_from(age).unwrap_or(u32::MAX),
        ))
    }

    /// Keeps an answer; one that is larger than the cache is left out.
    pub fn insert(&mut self, key: Key, answer: Rc<Answer>, lifetime: Duration, now: Instant) {
        let size = answer.size() + 2 * key.question.name.as_bytes().len() + OVERHEAD;
        self.remove(&key);
        if size > self.most_bytes || self.most_entries == 0 {
            return;
        }
        while self.bytes + size > self.most_bytes || self.entries.len() >= self.most_entries {
            let (_, first) = self
                .ends
                .first_key_value()
                .expect("there is no room without entries");
            let first = first.clone();
            self.remove(&first);
        }
        let end = (now + lifetime, self.next);
        self.next += 1;
        self.bytes += size;
        self.ends.insert(end, key.clone());
        let entry = Entry {
            answer,
            stored: now,
            end,
            size,
        };
        self.entries.insert(key, entry);
    }

    /// Forgets all.
    pub fn flush(&mut self) {
        self.entries.clear();
        self.ends.clear();
        self.bytes = 0;
    }

    /// How many answers are kept, with those whose time is over.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn remove(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            self.ends.remove(&entry.end);
            self.bytes -= entry.size;
        }
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::Message;
    use hickory_proto::rr::RecordType;

    use super::super::question::tests::question;
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn key(name: &str) -> Key {
        Key {
            group: GroupId::default(),
            question: question(name, RecordType::A),
        }
    }

    fn answer(key: &Key) -> Rc<Answer> {
        Rc::new(Answer::new(&key.question, Message::query()).unwrap())
    }

    fn put(cache: &mut Cache, name: &str, lifetime: Duration, now: Instant) {
        let key = key(name);
        cache.insert(key.clone(), answer(&key), lifetime, now);
    }

    fn has(cache: &mut Cache, name: &str, now: Instant) -> bool {
        cache.get(&key(name), now).is_some()
    }

    #[test]
    fn an_answer_ages_and_ends() {
        let (mut cache, start) = (Cache::new(9, 9999), Instant::now());
        put(&mut cache, "a.", MINUTE, start);
        let age = |cache: &mut Cache, seconds: u64| {
            let now = start + Duration::from_secs(seconds);
            cache.get(&key("a."), now).map(|(_, age)| age)
        };
        assert_eq!(age(&mut cache, 0), Some(0));
        assert_eq!(age(&mut cache, 59), Some(59));
        assert_eq!(age(&mut cache, 60), None);
        assert!(cache.is_empty());
    }

    #[test]
    fn neither_type_nor_wishes_nor_group_are_mixed_up() {
        let (mut cache, now) = (Cache::new(9, 9999), Instant::now());
        put(&mut cache, "a.", MINUTE, now);
        assert!(has(&mut cache, "A.", now));
        let mut others = [key("a."), key("a."), key("a.")];
        others[0].question.record_type = RecordType::AAAA;
        others[1].question.wishes.dnssec = true;
        others[2].group = GroupId::next_after(GroupId::default());
        for other in others {
            assert!(cache.get(&other, now).is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_ends_first_makes_room() {
        let (mut cache, now) = (Cache::new(2, 9999), Instant::now());
        put(&mut cache, "short.", MINUTE, now);
        put(&mut cache, "long.", 3 * MINUTE, now);
        put(&mut cache, "new.", 2 * MINUTE, now);
        let left = ["short.", "long.", "new."].map(|name| has(&mut cache, name, now));
        assert_eq!(left, [false, true, true]);
    }

    #[test]
    fn is_bounded_in_bytes() {
        let size = answer(&key("a.")).size() + 6 + OVERHEAD;
        let (mut cache, now) = (Cache::new(9, 2 * size), Instant::now());
        for name in ["a.", "b.", "c.", "c."] {
            put(&mut cache, name, MINUTE, now);
        }
        assert_eq!((cache.len(), cache.bytes), (2, 2 * size));
        let mut tiny = Cache::new(9, size - 1);
        put(&mut tiny, "a.", MINUTE, now);
        assert!(tiny.is_empty());
    }

    #[test]
    fn forgets_all_when_it_is_told_to() {
        let (mut cache, now) = (Cache::new(9, 9999), Instant::now());
        put(&mut cache, "a.", MINUTE, now);
        cache.flush();
        assert!(!has(&mut cache, "a.", now));
        assert_eq!((cache.ends.len(), cache.bytes), (0, 0));
    }
}
