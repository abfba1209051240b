/** Every bound in the system: its unit in the name, its reason beside it. The formats in docs/spec freeze the first group. */

const KIB = 1024;
const MIB = 1024 * KIB;

// --- frozen by the formats ------------------------------------------------------------------------------------------

/** Plaintext bytes sealed by one AEAD call: small enough that a range read wastes little, large enough to hide the tag. */
export const BLOCK_BYTES = 64 * KIB;
/** Unit of transfer, resending, repair and audit. 128 KiB cost the least CPU per GiB of 64, 128 and 256 (docs/decisions). */
export const SEGMENT_BYTES = 128 * KIB;
/** Largest chunk: k of them are held in memory while a stripe is coded. */
export const MAX_CHUNK_BYTES = 4 * MIB;
/** Largest stripe that a put makes, before coding: a worker holds it and its parity in memory. */
export const MAX_STRIPE_BYTES = 32 * MIB;
/** A bitmap of the segments of a chunk fits in 32 bits. */
export const MAX_SEGMENTS = MAX_CHUNK_BYTES / SEGMENT_BYTES;
/** Most chunks of a stripe the coder can make (GF(2⁸) allows 256; memory of a stripe bounds it here). */
export const MAX_STRIPE_CHUNKS = 64;
/** k ≥ 2, so that no single chunk is a readable copy of the sealed stripe. */
export const MIN_DATA_CHUNKS = 2;
/** Most chunks that placement uses, however many peers there are (memory of a put: n × MAX_CHUNK_BYTES a stripe). */
export const MAX_PLACED_CHUNKS = 16;

// --- decoders of foreign bytes ----------------------------------------------------------------------------------------

/** One gRPC message: a segment and its envelope. */
export const MAX_MESSAGE_BYTES = SEGMENT_BYTES + 64 * KIB;
/** A signed label: 64 chunk ids of 32 bytes, a few numbers, and the links of MAX_KEY_GENERATIONS. */
export const MAX_LABEL_BYTES = 4 * KIB;
/** A grant: ids, a key, numbers, a signature, and the links of MAX_KEY_GENERATIONS. */
export const MAX_GRANT_BYTES = 2 * KIB;
/** A sealed stripe directory; a stripe is closed before its directory grows past this. */
export const MAX_DIRECTORY_BYTES = 2 * MIB;
/** A remote path in UTF-8 bytes, as POSIX PATH_MAX. */
export const MAX_PATH_BYTES = 4096;
/** One name in a path in UTF-8 bytes, as most file systems. */
export const MAX_NAME_BYTES = 255;
/** Chunk ids in one DeleteChunks or has call. */
export const MAX_IDS_PER_CALL = 1024;

// --- transfers --------------------------------------------------------------------------------------------------------

/** Times that a corrupt segment is asked for again before the transfer fails as CORRUPT. */
export const MAX_RESEND_ROUNDS = 4;
/** HTTP/2 window of a stream, both directions: a chunk. With less, a far peer stops in the middle of each and waits for a round trip. */
export const STREAM_WINDOW_BYTES = 4 * MIB;
/** HTTP/2 window of a connection that a server opens: what may be on its way to one that reads slowly. A client’s is that of a stream. */
export const CONNECTION_WINDOW_BYTES = 16 * MIB;
/**
 * Streams that one peer may have open at another. Twice what a busy one has: Node counts a stream until its last byte was read and
 * it is forgotten, and refuses one too many with ENHANCE_YOUR_CALM, when to the client it has ended long ago.
 */
export const MAX_STREAMS_PER_CONNECTION = 256;
/** Calls that one channel has in progress; more wait for their turn. */
export const MAX_CALLS_PER_CHANNEL = MAX_STREAMS_PER_CONNECTION / 2;
/** Connections of a worker to one peer, each made when the others are busy: on lines that lose packets, several are faster. */
export const MAX_LANES_PER_PEER = 4;
/** A transfer that moves no byte for this long is broken. */
export const IDLE_TIMEOUT_MS = 30_000;
/** Pauses before a broken transfer to the same peer is resumed. */
export const SEND_RETRY_DELAYS_MS: readonly number[] = [100, 500, 2000];
/** Further pauses where the put would fail otherwise: a service that is restarted is back by then. */
export const SEND_LAST_RESORT_DELAYS_MS: readonly number[] = [2000, 4000, 8000];
/** Pauses before a get asks a peer again that failed in a passing way, where others do not suffice … */
export const FETCH_RETRY_DELAYS_MS: readonly number[] = [200, 500, 1000, 2000];
/** … but not after this long: whoever waits for the file wants to know. */
export const FETCH_PATIENCE_MS = 10_000;
/** Wrong segments of one chunk that are read around: damage in one place spoils two neighbours. More is a lie. */
export const MAX_ROTTEN_SEGMENTS = 2;
/** Peers beyond the first n that a stripe's chunks may go to when targets fail. */
export const MAX_SPARE_TARGETS = 8;
/** A get asks another peer for a chunk when one has sent nothing for this long. */
export const HEDGE_AFTER_MS = 750;
/** Whether a peer is up is asked with this much patience. */
export const PING_TIMEOUT_MS = 2_000;
/** A removal waits this long for peers to acknowledge before it leaves the rest to the outbox. */
export const DELETE_ATTEMPT_MS = 3_000;
/** A stream of a file begins with a read of this size, and four times as much each time until whole extents. */
export const FIRST_READ_BYTES = 256 * KIB;
/** A stream that is read while others hold the memory for whole extents goes on by this much. */
export const MODEST_READ_BYTES = MIB;
/** A stream that is put while others hold the memory for whole extents is cut into these. */
export const MODEST_EXTENT_BYTES = 4 * MIB;
/** How often a peer sends again what others missed, and reads who is a member. */
export const HOUSEKEEPING_MS = 5_000;
/** A process of this peer gets this long to tell its metrics: Prometheus itself waits ten seconds. */
export const GATHER_TIMEOUT_MS = 5_000;
/** A connection attempt that is not up after this is a dead peer. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** A call that moves no chunk (has, delete, audit) takes no longer than this. */
export const CALL_TIMEOUT_MS = 15_000;
/** Partial chunks that nobody resumed for this long are deleted. */
export const PARTIAL_EXPIRY_MS = 24 * 60 * 60 * 1000;
/** A put makes what it has stored visible after this many files, so that the catalog writes them together … */
export const COMMIT_FILES = 2_000;
/** A grant for one stripe is valid this long. */
export const GRANT_LIFETIME_MS = 60 * 60 * 1000;
/** Clocks of peers may differ by this much. */
export const CLOCK_SKEW_MS = 10 * 60 * 1000;

// --- local disk -------------------------------------------------------------------------------------------------------

/** Chunks below this lie in SQLite: a file and two fsyncs cost more than a row. */
export const SMALL_CHUNK_BYTES = 64 * KIB;
/** Free disk that a store keeps untouched, so that the catalog and the system can still write. */
export const DEFAULT_RESERVE_BYTES = 512 * MIB;
/** Chunks being received at once by one store; beyond it a put waits. */
export const MAX_CONCURRENT_PUTS = 64;
/** One read or write of a chunk file: larger costs no less CPU per GiB, and each put and get holds two of these in memory. */
export const DISK_IO_BYTES = MIB;
/** Files from this size on are fetched past the system's cache: they would push out what is read more often. */
export const DIRECT_OUTPUT_BYTES = 256 * MIB;
/** Rows that one turn of a listing reads: the event loop waits for it. */
export const LIST_PAGE_ROWS = 256;
/** Writes to SQLite that share one transaction, hence one sync: the event loop waits for it. */
export const MAX_GROUP_WRITES = 256;
/** Another process that holds the database gets this long to let go, as when a peer restarts. */
export const SQLITE_BUSY_TIMEOUT_MS = 1_000;
/** A database up to this size is checked whole when it opens, which takes about 0.1 s; a larger one only as it is read. */
export const WHOLE_CHECK_MAX_BYTES = 16 * MIB;
/** How often expired partial chunks are looked for. */
export const PARTIAL_SWEEP_MS = 60 * 60 * 1000;
/** Given up when the disk is full to the last byte, so that SQLite can write that a chunk is deleted: 30 KiB each time. */
export const BALLAST_BYTES = MIB;
/** Wait before a delete is sent again to a peer that was away; doubled each time, up to the second. */
export const DELETE_RETRY_MIN_MS = 5_000;
export const DELETE_RETRY_MAX_MS = 6 * 60 * 60 * 1000;

// --- healing ------------------------------------------------------------------------------------------------------------

/** Members that are asked which chunks of a stripe they hold, where its record does not suffice: placement's first ones. */
export const MAX_ASKED_HOLDERS = 64;
/** Segments of a chunk that are rebuilt at once: k times as many are in memory. */
export const REBUILD_ROWS = 8;
/** A rebuild asks another source beside one that is not done with REBUILD_ROWS segments after this. */
export const REBUILD_PATIENCE_MS = 5_000;
/** … and gives it up after this, even when it drips: REBUILD_ROWS segments at 18 kB/s. */
export const REBUILD_SOURCE_TIMEOUT_MS = 60_000;
/** A peer that has just started has better things to do than to scrub. */
export const SCRUB_FIRST_MS = 60_000;
/** How often a scrub that has nothing to do looks whether it has. */
export const SCRUB_IDLE_MS = 60_000;
/** Bytes that a scrub reads before it rests: one large chunk, or many small ones. */
export const SCRUB_STEP_BYTES = 4 * MIB;
/** Chunks of one such step. */
export const SCRUB_STEP_CHUNKS = 64;
/** Transfers are over when nobody has asked for a chunk, or offered one, for this long … */
export const SCRUB_QUIET_MS = 250;
/** … and when they never are, a scrub reads a chunk this often all the same: else a busy peer would never find its rot. */
export const SCRUB_YIELD_MS = 5_000;
/** How often files, rows and records are compared with each other. */
export const SCRUB_SURVEY_MS = 24 * 60 * 60 * 1000;
/** Chunk files without a row that one comparison looks into. */
export const MAX_STRAY_FILES = 10_000;
/** A chunk file that no record wants is removed when nothing has happened to it for this long: its record may be late. */
export const STRAY_AGE_MS = 7 * 24 * 60 * 60 * 1000;
/** Wait before a chunk that could not be mended is tried again; doubled each time, up to the second. */
export const MEND_RETRY_MIN_MS = 60_000;
export const MEND_RETRY_MAX_MS = 6 * 60 * 60 * 1000;
/** An owner’s order to delete is remembered this long, so that a late record does not bring the chunk back. */
export const WITHDRAWAL_KEPT_MS = 400 * 24 * 60 * 60 * 1000;
/** Damaged chunks that the status of a scrub lists. */
export const MAX_LISTED_DAMAGES = 50;

// --- passphrase -------------------------------------------------------------------------------------------------------

/** Argon2id floor (RFC 9106 section 4, second recommended option): a document that asks for less is refused. */
export const MIN_ARGON2_MEMORY_KIB = 64 * 1024;
export const MIN_ARGON2_PASSES = 3;
export const MIN_ARGON2_LANES = 1;
/** And a ceiling, so that a hostile document cannot exhaust the machine. */
export const MAX_ARGON2_MEMORY_KIB = 1024 * 1024;
export const MAX_ARGON2_PASSES = 16;
export const MAX_ARGON2_LANES = 16;
/** Longest passphrase in UTF-8 bytes. */
export const MAX_PASSPHRASE_BYTES = 1024;
/** Root keys that a user has in a life: every label carries a link of 102 bytes for each after the first, and has to stay in MAX_LABEL_BYTES. */
export const MAX_KEY_GENERATIONS = 16;
/** Chains of signing keys that were verified and are remembered: a verification takes 0.1 ms a link, and owners repeat. */
export const MAX_VERIFIED_CHAINS = 256;
/** What is typed for the words of a recovery kit, or the text of its page, which is half as long. */
export const MAX_KIT_TEXT_CHARS = 4 * KIB;

// --- control socket ---------------------------------------------------------------------------------------------------

/** One line of an import or export: two paths of MAX_PATH_BYTES, each byte six characters in JSON at worst, and numbers. */
export const MAX_CONTROL_LINE_BYTES = 64 * KIB;
/** One JSON reply: the listing of about a million entries. */
export const MAX_CONTROL_REPLY_BYTES = 256 * MIB;
/** The body of a failure. */
export const MAX_PROBLEM_BYTES = 64 * KIB;
/** Files in one export request; a bigger folder is fetched by several. */
export const MAX_EXPORT_ITEMS = 8192;
/** Paths in one export request, in characters, so that its body stays near a MiB whatever their length. */
export const MAX_EXPORT_PATH_CHARS = 512 * KIB;
/** Files that a client streams by itself at once, where the peer cannot read them from the disk. */
export const MAX_STREAMED_FILES = 4;

// --- wire ---------------------------------------------------------------------------------------------------------------

/** Encoded messages that wait for the network in one stream; beyond it the writer waits. */
export const MAX_QUEUED_BYTES = MIB / 2;
/** All headers of one call together, as HTTP/2 counts them: Shoal sends a handful of short ones. */
export const MAX_HEADER_BYTES = 8 * KIB;
/** A peer's certificate as a front passes it on, PEM and URL-escaped: 1.2 KiB with some hosts in it. */
export const MAX_ESCAPED_CERTIFICATE_CHARS = 6 * KIB;
/** Text of an error that crosses the wire, in UTF-16 units: one or two sentences. */
export const MAX_ERROR_CHARS = 512;
/** Connections that a peer accepts at once; each costs some tens of KiB and a TLS handshake. */
export const MAX_CONNECTIONS = 1024;
/** Of these, from one address (of IPv6: one /64): behind it may be a house full of peers, yet others get in, too. */
export const MAX_CONNECTIONS_PER_ADDRESS = 512;
/** A TLS handshake takes two round trips; Node would wait two minutes for it. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A connection without a valid certificate lives this long: enough to be told why. */
export const STRANGER_LIFETIME_MS = 2_000;
/** A connection with open calls is asked for a sign of life this often … */
export const KEEPALIVE_INTERVAL_MS = 10_000;
/** … and is dead when the answer takes longer than this. */
export const KEEPALIVE_TIMEOUT_MS = 10_000;
/** Calls in progress get this long to finish when a server closes. */
export const CLOSE_GRACE_MS = 2_000;
/** Waits between attempts to reach a peer that is down double from the first to the second of these. */
export const MIN_RECONNECT_MS = 200;
export const MAX_RECONNECT_MS = 5_000;

// --- signed orders ----------------------------------------------------------------------------------------------------

/** A signed order to delete MAX_IDS_PER_CALL chunks: 34 bytes each, and an envelope. */
export const MAX_DELETE_ORDER_BYTES = 64 * KIB;
/** A receipt's body: three ids and two numbers. */
export const MAX_RECEIPT_BYTES = 512;

/** An order to list: three ids and a number, and an envelope with the links of MAX_KEY_GENERATIONS. */
export const MAX_INVENTORY_ORDER_BYTES = 2 * KIB;
/** An order to list is good for so long: an inventory of a million chunks takes some minutes. */
export const INVENTORY_LIFETIME_MS = 60 * 60 * 1000;

// --- recovery -----------------------------------------------------------------------------------------------------------

/** Chunks of an inventory in one call: half a MiB of labels, which the caller has in memory. */
export const MAX_INVENTORY_PAGE = 1024;
/** A page that is not there after this: the peer drips to keep its caller waiting, or the line is of no use. */
export const INVENTORY_PAGE_TIMEOUT_MS = 60_000;
/** Labels that do not hold before a peer's inventory is given up: some rot is honest, each costs a verification. */
export const MAX_BAD_LABELS = 256;
/** Times that a peer's inventory is taken up again where it broke off. */
export const MAX_INVENTORY_RETRIES = 3;
/** Documents of users of one name that a peer tells. */
export const MAX_OWNERS_PER_ANSWER = 8;
/** Versions that one commit of a recovery brings back, and what is done twice after a crash in the middle. */
export const RECOVERED_PER_COMMIT = 1_000;

// --- catalog ------------------------------------------------------------------------------------------------------------

/** Plaintext of a sealed document: with seal, base64, ids and signature it is 63,500 bytes of JSON. */
export const MAX_DOCUMENT_PLAIN_BYTES = 46 * KIB;
/** Operations of one change or state document; the rest of MAX_DOCUMENT_PLAIN_BYTES is for what describes the document. */
export const MAX_CHANGE_BYTES = 45 * KIB;
/** The seal of a document from elsewhere: MAX_DOCUMENT_PLAIN_BYTES, salt and tag. */
export const MAX_SEALED_DOCUMENT_BYTES = MAX_DOCUMENT_PLAIN_BYTES + 48;
/** Extents that a manifest carries in its change document; a file with more (4 GiB at 16 MiB each) keeps them apart. */
export const MAX_INLINE_EXTENTS = 256;
/** Extents of one extents document: 37 KiB, and 43 KiB with the longest numbers. */
export const EXTENTS_PER_DOCUMENT = 448;
/** Extents documents that a change names; more are named by extents documents of their own. */
export const MAX_INLINE_DOCUMENTS = 256;
/** Extents documents that one extents document names: 34 KiB. */
export const DOCUMENTS_PER_DOCUMENT = 1024;
/** Extents of one file: 16 TiB in extents of 16 MiB, and 100 MiB of manifest in memory while it is read. */
export const MAX_EXTENTS = 1_048_576;
/** Documents of one commit. At about 240 small files each, a commit of 100,000 files takes 420. */
export const MAX_COMMIT_PARTS = 4096;
/** New versions that one commit makes visible. */
export const MAX_COMMIT_VERSIONS = 100_000;
/** Documents read from the database at once: 6 MiB of change documents. */
export const DOCUMENT_PAGE = 100;
/** Ids read from the database at once, without the documents. */
export const ID_PAGE = 1_000;
/** Encoded versions of an unlocked catalog lie together in pages of this: some 1,500 small files in each. */
export const VERSION_TEXT_PAGE_BYTES = 256 * KIB;
/** Change documents that one write to the database carries: commits that wait for the disk share a write. */
export const MAX_GROUPED_DOCUMENTS = 512;
/** A user's public document: a name, keys, two wraps, a signature, MAX_SSH_KEYS, and for MAX_KEY_GENERATIONS a link and a former key each. */
export const MAX_USER_DOCUMENT_BYTES = 8 * KIB;
/** SSH keys of one user: more than the machines of one person. */
export const MAX_SSH_KEYS = 16;
/** What a person calls one of them, in characters. */
export const MAX_SSH_KEY_NAME_CHARS = 48;
/** A line of an authorized_keys file: RSA keys of 16,384 bits fit. */
export const MAX_SSH_KEY_CHARS = 8 * KIB;
/** Shorter RSA keys are within reach of those with means (NIST SP 800-131A). */
export const MIN_RSA_BITS = 2048;
/** Users of one name whose wraps are tried one after the other, 0.3 s each; beyond that the user's id has to be given. */
export const MAX_NAMESAKES = 4;
/** Longest user name in characters, all of them ASCII. */
export const MAX_USER_NAME_CHARS = 64;
/** Changes that an unlock reads one by one before they are summed up: 2,000 take about a second. */
export const STATE_AFTER_CHANGES = 2_000;
/** Bytes of the hash in a document's id by which a state names it: 128 bits, which no two of a user's documents share. */
export const COVERED_ID_BYTES = 16;
/** Covered documents that one part of a dump names: 40 KiB. */
export const COVERED_PER_PART = 2_560;
/** Heads and missing changes that one part of a dump names: 36 KiB with the longest names. */
export const HEADS_PER_PART = 128;
/** Documents of a dump that are written at once, about 4,000 files: between two writes it can be stopped, and says how far it is. */
export const STATE_PAGE = 16;
/** Nodes of the catalog that are looked at in one turn of the event loop. */
export const STATE_NODES_PER_TURN = 512;
/** Things of the trash that one commit removes for ever, with all that lies in each. */
export const TRASHED_PER_COMMIT = 1_000;
/** A removal for ever waits this long for a home of the user that does not answer; then that home's later word may be lost. */
export const REMOVAL_GRACE_MS = 30 * 24 * 60 * 60 * 1000;
/** How often a removal asks whether all homes have answered, while somebody waits for it. */
export const REMOVAL_POLL_MS = 100;
/** Longest name of a peer in a change, in bytes. */
export const MAX_PEER_NAME_BYTES = 64;
/** Wait before the feed of changes is taken up again after it broke; doubled each time, up to the second. */
export const MIN_FEED_WAIT_MS = 200;
export const MAX_FEED_WAIT_MS = 30_000;
/** Versions that one removal in a change document names: 18 KiB. A file with more takes several. */
export const VERSIONS_PER_REMOVAL = 1024;
/** Users that are unlocked at once at one peer: each holds its whole view in memory. */
export const MAX_SESSIONS = 256;
/** A session that was not used for this long is locked. */
export const SESSION_IDLE_MS = 12 * 60 * 60 * 1000;
/** How often idle sessions are looked for, so that their keys leave the memory. */
export const SESSION_SWEEP_MS = 60_000;
/** Wrong passphrases for one name before the next attempt has to wait. */
export const FREE_UNLOCK_ATTEMPTS = 5;
/** The first wait, doubled by every further failure up to the second. */
export const MIN_UNLOCK_WAIT_MS = 1_000;
export const MAX_UNLOCK_WAIT_MS = 60_000;
/** Names whose failures are remembered. */
export const MAX_REMEMBERED_NAMES = 1024;
/** Passphrases waiting to be stretched; one at a time is, because each takes MIN_ARGON2_MEMORY_KIB and a core. */
export const MAX_WAITING_UNLOCKS = 32;
/** One message of the DB Service: four times what is filled on purpose, for one element may exceed an estimate. */
export const MAX_DB_MESSAGE_BYTES = 1 * MIB;
/** A message of the DB Service is filled up to this: 1,000 entries or so, so that a call costs little per entry. */
export const DB_PAGE_BYTES = 256 * KIB;
/** Extents in one part of a manifest on its way to or from the DB Service: 180 KiB. */
export const EXTENTS_PER_PART = 2000;
/** A call of the DB Service takes no longer: a commit of MAX_COMMIT_VERSIONS needs some 5 s of CPU on each side. */
export const DB_CALL_TIMEOUT_MS = 120_000;

// --- records of the network ---------------------------------------------------------------------------------------------

/** A signed record of the database `network`: a certificate, some names, a user's wraps and former keys. */
export const MAX_NETWORK_RECORD_BYTES = 16 * KIB;
/** A peer's address, name and zone, in UTF-16 units each: a DNS name has 253, a port six more. */
export const MAX_PEER_TEXT_CHARS = 260;
/** A signed order to forget a stripe: two ids, and the chain of its owner's keys. */
export const MAX_FORGET_BYTES = 8 * KIB;
/** Stripes whose record was checked and is kept in memory, some 4 KiB each: those of 256 GiB in full stripes. */
export const MAX_CACHED_STRIPES = 8_192;
/** From this many stripes on, one listing of all moves is cheaper than a look for those of each stripe. */
export const MANY_STRIPES = 64;
/** Ids of stripes in one page of a listing. */
export const STRIPE_ID_PAGE = 1_000;
/** Stripes read from the database at once. */
export const STRIPE_READS = 64;
/** Documents that were not believed and are listed in the status; the log has them all. */
export const MAX_RECORD_PROBLEMS = 1_000;
/** Those that one status lists. */
export const MAX_STATUS_PROBLEMS = 100;
/** Records of the network whose signature was checked and need not be again: 5 KiB each. */
export const MAX_CHECKED_RECORDS = 8_192;

// --- document databases -------------------------------------------------------------------------------------------------

/** Sequences of a database's feed that are looked at in one step. */
export const CHANGES_PAGE = 256;
/** Documents whose old revisions are forgotten in one step of a compaction. */
export const COMPACTION_CONCURRENCY = 64;

// --- replication and backup hosts ---------------------------------------------------------------------------------------

/** Headers of one HTTP/1.1 request. */
export const MAX_WEB_HEADERS = 64;
/** HTTP/1.1 requests of one peer in progress: each database that it replicates waits in one. */
export const MAX_WEB_REQUESTS_PER_PEER = 128;
/** A member's connection gets this long to send the head of its next request … */
export const WEB_HEAD_TIMEOUT_MS = 30_000;
/** … and this long for the body, MAX_WEB_BODY_BYTES at 70 KB/s. */
export const WEB_BODY_TIMEOUT_MS = 120_000;
/** An HTTP/1.1 connection that moves no byte is closed; a waiting feed of changes sends a heartbeat sooner. */
export const WEB_IDLE_TIMEOUT_MS = 75_000;
/** A client keeps an idle connection for less than WEB_HEAD_TIMEOUT_MS. */
export const WEB_KEEP_ALIVE_MS = 20_000;
/** Requests of one address that is no member's: joining takes four, and a house may have one address for all its peers. */
export const OPEN_REQUESTS_PER_MINUTE = 30;
/** Addresses whose requests are counted; when there are more, all are forgotten. */
export const MAX_COUNTED_ADDRESSES = 4_096;
/** Body of one HTTP/1.1 request: a batch of documents. */
export const MAX_WEB_BODY_BYTES = 8 * MIB;
/** A document of any replicated database as JSON, without CouchDB's own fields: rules/validate.ts says it too. */
export const MAX_DOCUMENT_BYTES = 64 * KIB;
/** Databases that stay open though nobody uses them: opening one takes some 20 ms, keeping it some 10 file descriptors. */
export const MAX_IDLE_DATABASES = 64;
/** Longest name of a database: `user-`, 64 digits, a generation. */
export const MAX_DATABASE_NAME_CHARS = 100;
/** Longest id of a document: `home-` and two ids of 64 digits, with room. */
export const MAX_DOCUMENT_ID_CHARS = 256;
/** Ancestors that a revision names: PouchDB and CouchDB forget older ones. */
export const MAX_REVISION_ANCESTORS = 1000;
/**
 * Ends of a record's revision tree, from where on another branch is taken only when it is the latest record: peers that are
 * apart make a few, and each is read with every reading.
 */
export const MAX_BRANCHES = 32;
/** Documents of one database that are written once more for a host that buries them. */
export const MAX_REVIVED_DOCUMENTS = 1_000;
/** Levels of a JSON body from elsewhere: the wrappings of the protocol and a document. */
export const MAX_JSON_DEPTH = 32;
/** Values in a JSON body from elsewhere, each of which takes some 50 bytes of memory: a batch of 10,000 documents has fewer. */
export const MAX_JSON_VALUES = 1_000_000;
/** One request to a document database: MAX_GROUPED_DOCUMENTS of MAX_DOCUMENT_BYTES, and their wrappings. */
export const MAX_DOCUMENTS_BODY_BYTES = 40 * MIB;
/** One reply of a document database to its client, which holds it in memory. */
export const MAX_DOCUMENTS_REPLY_BYTES = 128 * MIB;
/** Documents, or revisions, that one request to a document database names. */
export const MAX_BULK_DOCUMENTS = 10_000;
/** Documents that are read at once for one reply. */
export const READ_CONCURRENCY = 64;
/** A feed that waits for changes ends after this, with none: CouchDB's default. */
export const FEED_TIMEOUT_MS = 60_000;
/** How often a waiting feed sends an empty line, at most: less often than every second serves nobody. */
export const MIN_FEED_HEARTBEAT_MS = 1_000;
/** Connections that a database server accepts: each peer holds a feed for each database it replicates. */
export const MAX_DATABASE_CONNECTIONS = 4_096;
/** Changes that a replication asks for at once: 60 KB of ids and revisions. */
export const REPLICATION_PAGE = 500;
/** Documents that a pull reads with one request; a reply too large is asked for in halves. */
export const REPLICATION_READ_DOCUMENTS = 250;
/** A push sends documents when it has read this much: three batches of MAX_DOCUMENT_BYTES reach MAX_WEB_BODY_BYTES. */
export const REPLICATION_BATCH_BYTES = MIB;
/** One reply with documents. */
export const MAX_READ_REPLY_BYTES = 8 * MIB;
/** One document of MAX_DOCUMENT_BYTES with MAX_REVISION_ANCESTORS. */
export const MAX_SINGLE_READ_BYTES = 160 * KIB;
/** A page of a feed of changes: REPLICATION_PAGE documents with some dozens of conflicts each. */
export const MAX_FEED_BYTES = 4 * MIB;
/** A place in CouchDB's feed, which grows with its shards. */
export const MAX_SEQUENCE_CHARS = 8 * KIB;
/** Runs of a replication that its checkpoint remembers, for a side that was restored from an older copy. */
export const MAX_CHECKPOINT_SESSIONS = 8;
/** Pages of a long replication between two checkpoints: what a restart does again. */
export const PAGES_PER_CHECKPOINT = 10;
/** Batches of documents that a peer has in memory for replication with one host, over all databases. */
export const MAX_REPLICATION_BATCHES = 2;
/** A feed of a backup host waits this long for changes, so that a connection that is dead is noticed … */
export const REPLICATION_FEED_WAIT_MS = 25_000;
/** … when it is silent for this long, … */
export const REPLICATION_IDLE_MS = 40_000;
/** … and no answer takes longer, however busily it comes. */
export const REPLICATION_CALL_TIMEOUT_MS = 120_000;
/** Wait after a replication failed, doubled each time up to the second. */
export const MIN_REPLICATION_WAIT_MS = 1_000;
export const MAX_REPLICATION_WAIT_MS = 60_000;
/** A host makes a database within seconds of learning of it. */
export const MAX_MISSING_DATABASE_WAIT_MS = 10_000;
/** Longest pause between pages of a feed that brings nothing new. */
export const MAX_FRUITLESS_PAUSE_MS = 5_000;
/** A call to PouchDB hosting takes no longer: it answers from its disk. */
export const HOSTING_CALL_TIMEOUT_MS = 60_000;
/** Compacting 100,000 documents takes some 10 s, on a disk that is busy much longer. */
export const COMPACTION_TIMEOUT_MS = 15 * 60 * 1000;
/** How often a CouchDB is asked whether it still compacts; it begins within less. */
export const COMPACTION_POLL_MS = 250;
/** A client of PouchDB hosting waits this long for changes before it asks again. */
export const FEED_WAIT_MS = 25_000;
/** Wait before a client whose feed broke asks again; doubled each time, up to the second. */
export const FEED_RETRY_MIN_MS = 100;
export const FEED_RETRY_MAX_MS = 5_000;
/** Connections of a client to PouchDB hosting, feeds apart: LevelDB writes one batch at a time anyway. */
export const HOSTING_CONNECTIONS = 16;
/** A file with one line: a secret, or a name and a password. */
export const MAX_SECRET_FILE_BYTES = 4 * KIB;
/** Databases that a backup host makes: members could otherwise fill its disk with empty ones. */
export const MAX_PROVISIONED_DATABASES = 1_024;
/** How long a changed passphrase waits for backup hosts that are about to take it. */
export const PENDING_HOSTS_WAIT_MS = 10_000;
export const PENDING_HOSTS_POLL_MS = 50;
/** From one look at the network's records to the next, however often they change. */
export const MIN_ROUND_MS = 500;
/** How often a backup host looks for databases that time has retired, when nothing changes. */
export const PROVISION_PAUSE_MS = 10 * 60 * 1000;
/** Wait before databases that could not be provided are tried again. */
export const PROVISION_RETRY_MS = 5_000;
/** The database of former keys is kept this long after every home has brought it over: what a home has just left is in it. */
export const RETIRED_DATABASE_MS = 30 * 24 * 60 * 60 * 1000;
/** And this long where a home has not: one that never returns must not keep it for ever. */
export const AWAITED_DATABASE_MS = 365 * 24 * 60 * 60 * 1000;
/** How often an unlocked user's databases of former keys are looked at, when no home changes: time ends them too. */
export const FORMER_LOOK_MS = 60 * 60 * 1000;

// --- front ----------------------------------------------------------------------------------------------------------------

/** A stream through the front that moves no byte for this long: both of its ends give up sooner, after IDLE_TIMEOUT_MS. */
export const FRONT_IDLE_MS = 120_000;
/** Memory that Node allows one HTTP/2 connection at the built-in front: its window, and what its streams have on their way. */
export const MAX_FRONT_SESSION_MIB = 64;
/** Streams and requests of one peer that nginx has in progress at once: four connections full of them. */
export const MAX_FRONT_STREAMS_PER_PEER = 512;
/** Requests to routes that are open to anyone of one address (of IPv6: one /64) that a front has in progress at once. */
export const MAX_FRONT_STRANGERS = 16;
/** Connections of each nginx worker, two for each stream. */
export const NGINX_WORKER_CONNECTIONS = 8_192;
/** Connections to a service that nginx keeps open for the next stream. */
export const NGINX_IDLE_UPSTREAMS = 64;
/** What nginx sends upstream in one read of a stream; its HTTP/2 window for a client that sends is this, too. */
export const NGINX_BODY_BUFFER_BYTES = MIB;
/** Bytes of an answer that nginx reads at once, and the largest frame it makes of them. */
export const NGINX_ANSWER_BUFFER_BYTES = 64 * KIB;
/** A connection of HTTP/2 ends after so many streams, each of which is a chunk: a transfer of terabytes does not meet it. */
export const NGINX_STREAMS_PER_CONNECTION = 10_000_000;
/** Wait before nginx is started again after it ended by itself; doubled each time, up to the second. */
export const NGINX_RESTART_MIN_MS = 200;
export const NGINX_RESTART_MAX_MS = 10_000;
/** nginx that ran for this long was well: the next start after it waits as little as the first. */
export const NGINX_STABLE_MS = 60_000;
/** nginx listens within this, or its start has failed. */
export const NGINX_START_MS = 10_000;

// --- joining a network ---------------------------------------------------------------------------------------------------

/** A PKCS #10 request for a P-256 key is some 250 bytes; extensions that somebody asks for in vain take the rest. */
export const MAX_CERTIFICATE_REQUEST_BYTES = 2 * KIB;
/** Days that a peer's certificate is valid: an authority that is gone for a month stops nobody. */
export const CERTIFICATE_DAYS = 90;
/** An invitation is good for so long unless its maker says otherwise … */
export const INVITATION_LIFETIME_MS = 24 * 60 * 60 * 1000;
/** … and for this long at most: it is a key to the network, and lies in somebody's mail. */
export const MAX_INVITATION_LIFETIME_MS = 30 * 24 * 60 * 60 * 1000;
/** Invitations of one peer that wait for somebody to join. */
export const MAX_OPEN_INVITATIONS = 256;
/** What became of an invitation is told for this long after it expired. */
export const INVITATION_HISTORY_MS = 30 * 24 * 60 * 60 * 1000;
/** Addresses of the issuer in one token: it has to fit into a QR code that a terminal can show. */
export const MAX_TOKEN_ADDRESSES = 4;
/** A token as text, with the line breaks that a mail put into it. */
export const MAX_TOKEN_CHARS = 2 * KIB;
/** Body of one request to `/enrol`: two records of a peer, or a certificate request. */
export const MAX_ENROL_BODY_BYTES = 64 * KIB;
/** What a joining peer reads of one answer: MAX_BOOTSTRAP_RECORDS of MAX_NETWORK_RECORD_BYTES, base64, would be twice that. */
export const MAX_ENROL_REPLY_BYTES = 16 * MIB;
/** Records that a new peer begins with; the rest comes by replication. */
export const MAX_BOOTSTRAP_RECORDS = 2_048;
/** A request to `/enrol` has sent its body, and has its answer, within this. */
export const ENROL_BODY_TIMEOUT_MS = 10_000;
export const ENROL_CALL_TIMEOUT_MS = 30_000;
/** Requests that are worked on at once: a signature takes 1 ms, reading a hostile request not much more. */
export const MAX_CONCURRENT_ENROLMENTS = 8;
/** Requests to `/enrol` in one second, whoever they are of; as many as this may come at once after a quiet time. */
export const MAX_ENROL_REQUESTS_PER_S = 50;
/** How often a peer looks whether its certificate is to be renewed, and whether another process has renewed it. */
export const RENEWAL_CHECK_MS = 60_000;
/** Wait before a renewal that failed is tried again. */
export const RENEWAL_RETRY_MS = 10 * 60 * 1000;

// --- processes of one peer --------------------------------------------------------------------------------------------------

/** A process that needs another one of its peer waits this long for it at its start: longer than any takes to start. */
export const SERVICE_START_MS = 60_000;
/** How often it asks meanwhile. */
export const SERVICE_POLL_MS = 250;
/** Transfers in progress get this long to end after SIGTERM; then they are given back. Below the 15 s of `devnet down`. */
export const DRAIN_MS = 10_000;
/** What `shoal serve --check` waits for an answer. */
export const CHECK_TIMEOUT_MS = 5_000;

// --- uploads that can be resumed --------------------------------------------------------------------------------------------

/** A local file from this size on is put as a draft: below it, a few stripes are stored again sooner than one is written down. */
export const DRAFT_MIN_BYTES = 64 * MIB;
/** A draft lives this long after its last part: over a week-end and a holiday; what it holds at the peers nobody else can use. */
export const DRAFT_LIFETIME_MS = 7 * 24 * 60 * 60 * 1000;
/** Drafts of one user at one peer. */
export const MAX_DRAFTS = 256;
/** Parts of one draft that are shorter than SHORT_PART_BYTES: each is a stripe, and a client could send a byte at a time. */
export const MAX_SHORT_PARTS = 1_024;
export const SHORT_PART_BYTES = MIB;
/** What a draft is of: two paths of MAX_PATH_BYTES characters at most, and numbers. */
export const MAX_DRAFT_HEAD_BYTES = 32 * KIB;
/** A part of a draft: the record of its stripe, with a label and receipts of MAX_STRIPE_CHUNKS peers. */
export const MAX_DRAFT_PART_BYTES = 64 * KIB;
/** Parts of a draft that are read, or given back, at once: 1 MiB of records. A peer is asked for them in one call. */
export const DRAFT_PAGE = 256;
/** A request that adds to an upload gets so long to read what has come when another one wants it … */
export const UPLOAD_DRAIN_MS = 250;
/** … and this long to store that: a stripe over a slow line. */
export const UPLOAD_TAKEOVER_MS = 30_000;
/** What a client notes with an upload to know it again. */
export const MAX_UPLOAD_SOURCE_BYTES = KIB;
/** What became of a draft is told for so long, to a client that lost the answer … */
export const FINISHED_DRAFT_MS = 24 * 60 * 60 * 1000;
/** … for so many of one user. */
export const MAX_FINISHED_DRAFTS = 1_024;

// --- web --------------------------------------------------------------------------------------------------------------------

/** TCP connections of browsers and programs: a browser opens six, and a page is open in some tabs. */
export const MAX_BROWSER_CONNECTIONS = 256;
/** The head of a request of a browser has to arrive within this. */
export const BROWSER_HEAD_MS = 10_000;
/** A request's JSON body has to arrive within this; the bytes of a file may take as long as they move. */
export const BROWSER_BODY_MS = 30_000;
/** A connection that moves no byte is closed: a download that nobody reads, an upload that nobody sends. */
export const BROWSER_IDLE_MS = 120_000;
/** An answer that comes before the end of its request is there to be read this long, before the connection is cut. */
export const EARLY_ANSWER_MS = 1_000;
/** Browsers that somebody is signed in with at one peer; the longest unused one makes room. */
export const MAX_BROWSER_SESSIONS = 256;
/** A browser signs in again after this long in any case … */
export const WEB_SESSION_MS = 7 * 24 * 60 * 60 * 1000;
/** … and when it was not used for this long: as long as a user's own session lasts. */
export const WEB_SESSION_IDLE_MS = 12 * 60 * 60 * 1000;
/** A one-time link that nobody has used is good for this long: to come from a terminal into a browser. */
export const WEB_LINK_MS = 10 * 60 * 1000;
/** Unused links; the oldest makes room. */
export const MAX_WEB_LINKS = 64;
/** Tokens of programs at one peer. */
export const MAX_API_TOKENS = 1_000;
/** What a token is good for at most, in days; whoever wants longer makes a new one. */
export const MAX_TOKEN_DAYS = 3_650;
/** Characters of a token's name. */
export const MAX_TOKEN_NAME_CHARS = 100;

// --- SFTP -------------------------------------------------------------------------------------------------------------------

/** Connections of SFTP clients, logged in or not: a mount, a few programs, and some that are not closed yet. */
export const MAX_SFTP_CONNECTIONS = 64;
/** A client that has not logged in by then is cut off: a passphrase is typed, and stretched. */
export const SFTP_LOGIN_MS = 60_000;
/** Wrong passphrases on one connection. */
export const MAX_SFTP_PASSPHRASES = 3;
/** Ways to log in that one connection may try: an agent offers all the keys it has. */
export const MAX_SFTP_LOGINS = 24;
/** Before a wrong passphrase is answered; the DB Service makes waits of its own that grow. */
export const SFTP_WRONG_PASSPHRASE_MS = 1_000;
/** A connection that asks for nothing is closed after this. A mount that is to stay reconnects (docs/sftp.md). */
export const SFTP_IDLE_MS = 60 * 60 * 1000;
/** Channels of one connection: OpenSSH shares one among several programs. */
export const MAX_SFTP_CHANNELS = 8;
/** One packet, as OpenSSH allows (sftp-common.h). */
export const MAX_SFTP_PACKET_BYTES = 256 * KIB;
/** Bytes of one read or write; the rest of a packet is its head. As OpenSSH's server says it of itself. */
export const MAX_SFTP_DATA_BYTES = 255 * KIB;
/** Requests of one channel that are worked on at once, which bounds the replies in memory: OpenSSH sends 64. */
export const MAX_SFTP_REQUESTS = 64;
/** Files and folders that one channel has open; sshfs keeps one for each file that a program has open. */
export const MAX_SFTP_HANDLES = 1_024;
/** Names in one reply to a READDIR: some 40 KiB. */
export const SFTP_NAMES_PER_REPLY = 256;
/** A file up to this size is put together in memory, whatever is written where in it: most never touch the disk. */
export const SFTP_MEMORY_FILE_BYTES = MIB;
/** No file gets longer than this by a write or a truncation far behind its end: as many bytes of zeros would be put. MAX_EXTENTS of 16 MiB. */
export const MAX_SFTP_FILE_BYTES = 16 * 1024 * 1024 * MIB;
/** All such files together; beyond it they go to the spool. */
export const SFTP_MEMORY_BYTES = 64 * MIB;
/** Files that are put while they are written; beyond it they go to the spool. Each holds parts of stripes in memory. */
export const MAX_SFTP_STREAMS = 16;
/** Written bytes of one such file that wait for the put … */
export const SFTP_STREAM_AHEAD_BYTES = MIB;
/** … and those that came too early, because the system's threads overtook each other. */
export const SFTP_EARLY_BYTES = 2 * MIB;
/** Files with a spool: each is an open file of this process. */
export const MAX_SFTP_SPOOLS = 128;
/** Unit of a spool: what is read of the stored file when a byte in it is written. */
export const SPOOL_BLOCK_BYTES = 64 * KIB;
/** Blocks of one spool in memory: those that small writes in turn go to. */
export const SPOOL_CACHED_BLOCKS = 4;
/** Free disk is looked at after so many bytes of spools. */
export const SPOOL_CHECK_BYTES = 16 * MIB;
/** Files that are being read ahead; the one not read for longest stops. Each holds some MiB. */
export const MAX_SFTP_READERS = 64;
/** Bytes behind the reading that are kept, and bytes ahead of it that are waited for: requests overtake each other. */
export const SFTP_READ_REACH_BYTES = 2 * MIB;
/** A read somewhere in a file fetches this much, until the next read goes on there. */
export const SFTP_RANDOM_READ_BYTES = 256 * KIB;
/** Things that one archive is asked of at once. */
export const MAX_ARCHIVE_PATHS = 1_000;
/** Files and folders of one archive: its directory is held in memory, some 300 bytes each. */
export const MAX_ARCHIVE_ENTRIES = 200_000;
/** Characters that names are searched for. */
export const MAX_SEARCH_CHARS = 200;
/** Entries that one search finds. */
export const MAX_SEARCH_RESULTS = 1_000;
/** Transfers that have ended are shown for a while: so many of them. */
export const MAX_ENDED_TRANSFERS = 100;
/** Pages that wait for events, at one peer. */
export const MAX_EVENT_STREAMS = 64;
/** Pages of one browser, or connections of one token, that do. */
export const MAX_EVENT_STREAMS_OF_ONE = 8;
/** Characters of events that a page has not taken yet; then it is sent away, and comes anew. */
export const MAX_EVENT_BACKLOG_CHARS = 1024 * 1024;
/** A quiet stream of events says that it lives, below the idle times of proxies. */
export const EVENT_HEARTBEAT_MS = 15_000;
/** How often it is looked whether a user's catalog, or the status, has changed, while a page waits for it. */
export const EVENT_POLL_MS = 3_000;
/** A look that took long is followed by a rest of so many times that long. */
export const EVENT_REST_FACTOR = 20;
/** How often the progress of transfers is told. */
export const EVENT_PROGRESS_MS = 1_000;
/** Characters of one setting that a browser changes. */
export const MAX_SETTING_CHARS = 4_096;
/** Minutes of history that are kept each; older ones are hours. */
export const HISTORY_MINUTES_KEPT = 48 * 60;
/** Days of history. */
export const HISTORY_DAYS = 2 * 365;
/** How often this peer measures. */
export const HISTORY_SAMPLE_MS = 60_000;
/** Lines of what happened that are kept. */
export const ACTIVITY_KEPT = 1_000;
/** … and when for the first time. */
export const HISTORY_FIRST_MS = 10_000;

// --- liveness, audits and repair ----------------------------------------------------------------------------------------

/** How often a peer that nothing was heard of is asked whether it is there … */
export const LIVENESS_INTERVAL_MS = 60_000;
/** … so many at once. */
export const PINGS_AT_ONCE = 16;
/** When a peer answered last is written down this often: while it does, nothing follows from it. */
export const LIVENESS_WRITE_MS = 10 * 60 * 1000;
/** An audit that has no answer by then fails: whoever has the chunk needs no longer, who fetches it elsewhere may. */
export const AUDIT_TIMEOUT_MS = 10_000;
/** An audit that found something wrong is repeated after this; a file that its owner removes is gone everywhere by then. */
export const AUDIT_SECOND_LOOK_MS = 5 * 60 * 1000;
/** … and after this where somebody waits for it. */
export const AUDIT_QUICK_LOOK_MS = 2_000;
/** Audits that wait for their second look. */
export const MAX_AUDIT_SUSPECTS = 256;
/** What audits bring over the network in an hour, whatever the setting `auditsPerHour`. */
export const MAX_AUDIT_BYTES_PER_HOUR = 256 * MIB;
/** Audits that one request asks for. */
export const MAX_AUDITS_AT_ONCE = 10_000;
/** Audits that are kept for people, the newest. */
export const AUDITS_KEPT = 1_000;
/** Chunks that audits found missing or corrupt, and whose repair is due; the newest. */
export const AUDIT_FAULTS_KEPT = 4_096;
/** Different chunks that a peer fails with before it is distrusted: one rotten place is no reason to move all that it has. */
export const DISTRUST_AFTER_FAULTS = 2;
/** Audits in a row that a peer leaves without an answer, though it answers otherwise, before it is distrusted. */
export const DISTRUST_AFTER_STALLS = 4;
/** Passed audits in a row after which it is trusted again. */
export const TRUST_AFTER_PASSES = 8;
/** A peer that is distrusted for so long gets another chance: when its chunks lie elsewhere nobody can audit it. */
export const DISTRUST_PAROLE_MS = 30 * 24 * 60 * 60 * 1000;
/** Stripes that one step of a survey looks at. */
export const SURVEY_PAGE = 256;
/** All stripes are looked at this often, and whenever a peer is gone, comes back, or is distrusted. */
export const SURVEY_INTERVAL_MS = 60 * 60 * 1000;
/** How often it is looked whether that is so. */
export const REPAIR_POLL_MS = 30_000;
/** Stripes that wait for repair, those with the least margin, and as many with chunks at peers that are to leave; the others are found again by the next survey. */
export const MAX_REPAIR_QUEUE = 10_000;
/** What is missing is left alone for this long: a put may be under way, or a removal. */
export const REPAIR_SETTLE_MS = 60_000;
/** Holders of a stripe repair it in an order that all know; each waits this long for the one before. */
export const REPAIR_TAKEOVER_MS = 10 * 60 * 1000;
/** What lies at a peer that is to leave is moved at once: holders of a stripe wait this long for the one before. */
export const DEPARTURE_TAKEOVER_MS = 15_000;
/** How often it is looked whether a peer is to leave, or has nothing left. */
export const DEPARTURE_POLL_MS = 2_000;
/** A peer that is to leave and hands over nothing for so long: whoever waits is told. */
export const DEPARTURE_STALL_MS = 10 * 60 * 1000;
/** While a peer is to leave, all stripes are looked at this often: new ones may have come, or moves of others. */
export const DEPARTURE_SURVEY_MS = 60_000;
/** A peer that is leaving asks others about so many of its chunks at once, where it has no record of them. */
export const DEPARTURE_ASKS = 8;
/** Who has a chunk keeps it against a peer that placement prefers by less than this, in weight. */
export const HOLDER_FAVOUR = 1.1;
/** Chunks move to where they belong only when the members have been the same for so long. */
export const REBALANCE_SETTLE_MS = 60 * 60 * 1000;
/** … at this share of what repairs may move in a second. */
export const REBALANCE_SHARE = 0.25;
/** Stripes with a chunk that belongs elsewhere that are kept in mind; the next survey finds more. */
export const MAX_REBALANCE_QUEUE = 10_000;
/** Stripes that one peer repairs at once. */
export const REPAIRS_AT_ONCE = 2;
/** Peers that are asked to take one chunk before the stripe is left for later. */
export const REPAIR_TARGETS = 4;
/** A target that had no room, or did not answer, gets nothing for this long. */
export const REPAIR_TARGET_REST_MS = 10 * 60 * 1000;
/** A peer that rebuilds a chunk for another has so long: k chunks have to come. */
export const REBUILD_TIMEOUT_MS = 2 * 60 * 1000;
/** Chunks that a peer rebuilds at once because others ask, each in memory whole … */
export const MAX_REBUILDS = 8;
/** … for one of them … */
export const MAX_REBUILDS_PER_CALLER = 4;
/** … and in a minute for one of them. */
export const MAX_REBUILDS_PER_MINUTE = 240;
/** Chunks that a peer copies from another at once because others ask … */
export const MAX_PULLS = 64;
/** … for one of them … */
export const MAX_PULLS_PER_CALLER = 8;
/** … and in a minute for one of them: 100 a second. */
export const MAX_PULLS_PER_MINUTE = 6_000;
/** A chunk that was moved elsewhere so long ago is dropped here when it is proven to be there: all peers have heard of the move. */
export const SURPLUS_AGE_MS = 24 * 60 * 60 * 1000;
/** How often own chunks are looked through for such. */
export const SURPLUS_INTERVAL_MS = 24 * 60 * 60 * 1000;

// --- what peers say they hold -------------------------------------------------------------------------------------------

/** What a peer says that it holds is compared with the records this often, and soon after its store was opened anew. */
export const HOLDINGS_INTERVAL_MS = 6 * 60 * 60 * 1000;
/** How often it is looked whether that is due. */
export const HOLDINGS_POLL_MS = 60_000;
/** A peer that restarts all the time is compared no more often than this. */
export const HOLDINGS_LEAST_MS = 5 * 60 * 1000;
/** In the background there is a rest after each call: 4,096 chunks a second are asked for at most. */
export const HOLDINGS_REST_MS = 250;
/** Who does not answer a call about MAX_IDS_PER_CALL chunks within this is asked again after a rest of HOLDINGS_LEAST_MS or more. */
export const HOLDINGS_TIMEOUT_MS = 10_000;
/** Stripes whose chunks were denied and wait for the second look: 8 MiB. Who denies more is compared again, after a rest. */
export const MAX_DENIED_STRIPES = 100_000;
/** Chunks that peers deny and that are remembered: 20 MiB. Who denies more is compared again, after a rest. */
export const MAX_DENIALS = 200_000;
/** Denied chunks are asked for again this often: somebody else may have repaired them. */
export const DENIALS_RECHECK_MS = 10 * 60 * 1000;

// --- garbage --------------------------------------------------------------------------------------------------------------

/** How often each peer is asked for its inventory: an order, and 400 bytes for each chunk. */
export const INVENTORY_INTERVAL_MS = 24 * 60 * 60 * 1000;
/** A peer that did not tell all is asked again after this. */
export const INVENTORY_RETRY_MS = 60 * 60 * 1000;
/** What no file refers to is deleted when two listings so far apart had it: an upload is given up after as long. */
export const GARBAGE_AGE_MS = 7 * 24 * 60 * 60 * 1000;
/** So many listings in all have to have had it: a clock that is put forward makes two of one hour lie a week apart. */
export const GARBAGE_LISTINGS = 7;
/** Members whose word is lacking before strays are deleted are asked again after this. */
export const HOMES_RETRY_MS = 10 * 60 * 1000;
/** A member that does not say by then what it holds back is asked later. */
export const HOME_ANSWER_TIMEOUT_MS = 10_000;
/** More strays than this, and than a fifth of all that peers hold of an owner, look like a lost catalog. */
export const MANY_STRAYS = 64;
export const MANY_STRAYS_SHARE = 0.2;
/** Strays whose deletion is begun at once. */
export const STRAYS_PER_SWEEP = 256;

// --- how safe files are -------------------------------------------------------------------------------------------------

/** Files, or records of stripes, that are read at once to work out what may fail. */
export const SAFETY_PAGE = 256;
/** Records of stripes that one look reads again, beside those that are new; of more files some are as old as some looks. */
export const SAFETY_RECORDS = 4_096;
/** A look at the catalog that took less is made for every question; a longer one is followed by a rest … */
export const SAFETY_FAST_MS = 100;
/** … of so many times what it took. */
export const SAFETY_REST_FACTOR = 10;
/** Users whose files are remembered for it: 50 MB for each with 100,000 files. */
export const MAX_SAFETY_USERS = 8;
/** Of a user who was locked they are forgotten within this, or half as long again. */
export const SAFETY_FORGET_MS = 60_000;
/** Files at risk, or lost, that are named. */
export const MAX_WORST_FILES = 1_000;
/** … in a status. */
export const STATUS_WORST_FILES = 10;
