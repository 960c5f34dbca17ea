/** What a packet is: the type in its head. The body is described beside the part that writes it. */
export const PacketType = {
  /** A whole message. */
  message: 1,
  /** A part of a message: u8 index, u8 count, bytes. */
  part: 2,
  /** What was sent last, while nothing else says so. */
  heartbeat: 3,
  /** How far a receiver is. */
  status: 4,
  /** What a receiver misses. */
  nak: 5,
  /** A small message without repair. */
  hint: 6,
  /** Who we are, a challenge, and the answer to one. */
  hello: 7,
  /** Are you there? u32 stamp, u32 suspected life, u64 on behalf of whom. */
  ping: 8,
  /** I am. u32 stamp, u32 life, u64 on behalf of whom. */
  ack: 9,
  /** Please ping another: u64 whom, u32 suspected life. */
  probe: 10,
  /** It answered: u64 who, u32 life. */
  vouch: 11,
  /** To all: I am about to take it for dead. u64 whom, u32 life. */
  suspect: 12,
  /** This process leaves. */
  bye: 13,
} as const

/** Bits of a packet's flags that are the link's own: `PacketFlags` has the lower ones. */
export const LinkFlags = {
  /** Heartbeat: say how far you are, now. */
  statusWanted: 16,
  /** Nak: it went to all, so the repair does too. */
  loud: 32,
  /** Hello: it answers a challenge. */
  answers: 64,
  /** Hello: it asks for an answer. */
  asks: 128,
} as const
