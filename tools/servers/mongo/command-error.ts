/** A command that fails, as a server reports it. */
export class CommandError extends Error {
  readonly code: number
  readonly codeName: string
  readonly labels: readonly string[]

  constructor(code: number, codeName: string, message: string, labels: readonly string[] = []) {
    super(message)
    this.code = code
    this.codeName = codeName
    this.labels = labels
  }

  get reply(): Record<string, unknown> {
    const { code, codeName, message, labels } = this
    return { ok: 0, errmsg: message, code, codeName, ...(labels.length > 0 && { errorLabels: labels }) }
  }
}
