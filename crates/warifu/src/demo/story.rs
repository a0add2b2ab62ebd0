//! Who is in the demo's story, and what to try in two minutes.

/// The four people whose links are printed.
pub const HEROES: [(&str, &str); 4] = [
    ("agent", "mika.tanaka@hashira.example"),
    ("super administrator", "irene.laurent@hashira.example"),
    ("responder", "noah.okafor@hashira.example"),
    ("organization administrator", "kenta.sato@aoba-denki.example"),
];

/// Two minutes.
pub const TRY: [&str; 8] = [
    "  Two minutes (each link makes a passkey, once, in the browser that opens it):",
    "  1. As the agent: open a case, press r, reply. Press Ctrl K. Search for 証明書.",
    "  2. As the super administrator: Reports, open “Signed in within 90 days”, remove the filter,",
    "     look at the preview, run it, download it. Then look at the ledger.",
    "  3. As the responder: Incidents. One download of 28 September 2023 is recorded, with nothing",
    "     but its size. Match it: which report was it, and who was in it?",
    "  4. As the organization administrator: open a case with a HAR file, and see what was removed.",
    "",
];
