/** Numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02) and of OpenSSH's extensions (its file PROTOCOL, section 4). */

export const VERSION = 3;

export const REQUEST = {
  INIT: 1,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  EXTENDED: 200,
} as const;

export const REPLY = { VERSION: 2, STATUS: 101, HANDLE: 102, DATA: 103, NAME: 104, ATTRS: 105, EXTENDED: 201 } as const;

export const STATUS = { OK: 0, EOF: 1, NO_SUCH_FILE: 2, PERMISSION_DENIED: 3, FAILURE: 4, BAD_MESSAGE: 5 } as const;

/** What a file is opened for. */
export const OPEN = { READ: 0x01, WRITE: 0x02, APPEND: 0x04, CREATE: 0x08, TRUNCATE: 0x10, EXCLUSIVE: 0x20 } as const;

/** Which fields of ATTRS are there. */
export const ATTRIBUTE = { SIZE: 0x01, OWNER: 0x02, MODE: 0x04, TIMES: 0x08, EXTENDED: 0x80000000 } as const;

/** What is understood beyond version 3, with the version of each. */
export const EXTENSIONS = {
  'posix-rename@openssh.com': '1',
  'statvfs@openssh.com': '2',
  'fstatvfs@openssh.com': '2',
  'fsync@openssh.com': '1',
  'lsetstat@openssh.com': '1',
  'limits@openssh.com': '1',
  'expand-path@openssh.com': '1',
} as const;
