/** `millpond/service`: a client of Millpond's own service, with a shared tier, a bus and topics on it. */
export type { BusStatus } from '../bus-status.ts'
export type { ServiceBus } from './bus.ts'
export type { ServiceCacheDescription, ServiceCacheSettings, ServiceCaches } from './caches.ts'
export type { Greeting } from './greeting.ts'
export type { ServiceBusOptions, ServiceOptions, ServiceStoreOptions } from './options.ts'
export { fieldsOf, plainOf } from './replies.ts'
export { ReplyFailure, type ServiceReply } from './reply-reader.ts'
export {
  type CallOptions,
  connectService,
  type Service,
  type ServiceListener,
  type ServiceStatus,
  serviceBus,
  serviceStore,
} from './service.ts'
export type { ServiceToken, ServiceTokenRecord, ServiceTokenRequest, ServiceTokens } from './tokens.ts'
export type {
  ServiceTopic,
  TopicGap,
  TopicListener,
  TopicMessage,
  TopicNews,
  TopicPosition,
  TopicSubscription,
} from './topics.ts'
export type { CommandWord } from './words.ts'
