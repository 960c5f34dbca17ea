import { ValueError } from '../core/errors.ts'
import type { SchemaIssue, SchemaResult, StandardSchema } from '../core/standard-schema.ts'

/**
 * Checks values by a schema, and remembers the objects that passed: a value of the near tier is checked once, not once
 * a read. `undefined` stands for "there is none" and always passes.
 */
export class ValueCheck<V> {
  readonly #schema: StandardSchema<V> | undefined
  readonly #passed = new WeakSet<object>()

  constructor(schema: StandardSchema<V> | undefined) {
    this.#schema = schema
  }

  /** Nothing is left to check. */
  passed(value: unknown): boolean {
    return !this.#schema || value === undefined || (isObject(value) && this.#passed.has(value))
  }

  /** What the schema makes of the value. Rejects with `ValueError`. */
  async check(key: string, value: V | undefined): Promise<V | undefined> {
    return this.passed(value) ? value : this.#accept(key, await this.#schema!['~standard'].validate(value))
  }

  /** Like `check`, at once; `undefined` where the value is refused or the schema takes its time. */
  checkNow(key: string, value: V | undefined): V | undefined {
    if (this.passed(value)) return value
    const result = this.#schema!['~standard'].validate(value)
    return result instanceof Promise || result.issues ? undefined : this.#accept(key, result)
  }

  #accept(key: string, result: SchemaResult<V>): V {
    if (result.issues) throw new ValueError(key, result.issues.map(describe).join('; '), { cause: result.issues })
    if (isObject(result.value)) this.#passed.add(result.value)
    return result.value
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function describe({ path = [], message }: SchemaIssue): string {
  const steps = path.map((step) => String(typeof step === 'object' ? step.key : step))
  return steps.length > 0 ? `${steps.join('.')}: ${message}` : message
}
