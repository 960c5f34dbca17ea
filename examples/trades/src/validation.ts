/** What the routes accept, as JSON Schema. Each `description` is what the caller is told when it was not met. */
import type { FastifySchemaValidationError } from 'fastify'

const symbol = { type: 'string', pattern: '^[A-Z]{1,8}$', description: 'give one to eight capital letters' }
const side = { enum: ['buy', 'sell'], description: 'give buy or sell' }
const price = { type: 'number', minimum: 0.01, maximum: 1e6, description: 'give a number from 0.01 to 1,000,000' }
const quantity = { type: 'integer', minimum: 1, maximum: 1e6, description: 'give a whole number from 1 to 1,000,000' }

export const summaryParams = { type: 'object', properties: { symbol, side } }

export const newTrade = {
  type: 'object',
  properties: { symbol, side, price, quantity },
  required: ['symbol', 'side', 'price', 'quantity'],
  additionalProperties: false,
  description: 'give an object with symbol, side, price and quantity, and nothing else',
}

/** Take values as they come, and keep the schema and the value at hand for the message. */
export const ajv = { customOptions: { coerceTypes: false, removeAdditional: false, verbose: true } } as const

type Fault = FastifySchemaValidationError & { parentSchema?: { description?: string }; data?: unknown }

/** `side: "hold" cannot be used; give buy or sell` */
export function explain(faults: FastifySchemaValidationError[], part: string): Error {
  const { instancePath, parentSchema, data, message } = faults[0] as Fault
  const name = instancePath.slice(1) || part
  const given = (JSON.stringify(data) ?? 'nothing').slice(0, 80)
  return new Error(`${name}: ${given} cannot be used; ${parentSchema?.description ?? message}`)
}
