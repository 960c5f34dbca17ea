/** `millpond/codec`: codecs that make stored values smaller, and unreadable to who has no key. */
export { type Codec, jsonCodec } from '../core/codec.ts'
export { type CompressedCodecOptions, compressedCodec } from './compressed-codec.ts'
export { type EncryptedCodecOptions, encryptedCodec } from './encrypted-codec.ts'
export type { EncryptionKey } from './encryption-keys.ts'
