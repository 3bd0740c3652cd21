//! Sentences read as what they are: of a note, or of a mail that was pasted into it.
//!
//! Invariant: where the voice changes to or from a contact's own, nothing of before is gone on about.

use super::super::TextKind;
use super::super::mail::{Voice, voices};
use super::super::sentence::Read;
use super::super::statement::Statement;
use super::super::thread::Thread;
use super::Reader;

impl Reader<'_> {
    /// Whose words the sentences are; outside of notes all are of whom the text is about.
    pub(super) fn voices(&self, sentences: &[Read<'_>]) -> Vec<Voice> {
        if self.kind != TextKind::Note {
            return vec![Voice::Note; sentences.len()];
        }
        voices(sentences, self.about, &|sentence, from| {
            self.directory.mentions(sentence.cells, &sentence.tokens[from.min(sentence.tokens.len())..])
        })
    }

    /// Reads a sentence as what it is: one of a note, or a contact's own in a mail that was pasted there.
    pub(super) fn read_in(&mut self, sentence: &Read<'_>, voice: Voice) -> Vec<Statement> {
        let before = std::mem::replace(&mut self.voice, voice);
        let is_mail = |voice: Voice| matches!(voice, Voice::Contact(_));
        if before != voice && (is_mail(before) || is_mail(voice)) {
            (self.kind, self.about) = match voice {
                Voice::Contact(writer) => (TextKind::Post, Some(writer)),
                Voice::Note | Voice::Another => self.whole,
            };
            self.thread = Thread::new(self.about, self.directory.forms());
            if let Voice::Contact(writer) = before
                && !is_mail(voice)
                && Some(writer) != self.about
            {
                // Whom the note goes on about behind somebody else's mail nobody knows.
                self.thread.broken();
            }
            self.in_quote = false;
            self.met_before.clear();
            self.left.clear();
        }
        self.read(sentence)
    }
}
