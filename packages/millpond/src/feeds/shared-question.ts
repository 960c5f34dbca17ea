/**
 * A question to the server that many ask at once: each gets an answer that was asked for after he asked, and while one is
 * under way all who come share the next.
 */
export class SharedQuestion<T> {
  private readonly put: () => Promise<T>
  private current: Promise<unknown> | undefined
  private next: Promise<T> | undefined

  constructor(put: () => Promise<T>) {
    this.put = put
  }

  ask(): Promise<T> {
    this.next ??= this.after(this.current)
    return this.next
  }

  private async after(current: Promise<unknown> | undefined): Promise<T> {
    // Even when nothing is under way it starts a moment later, so that who asks in the same turn shares it.
    await current?.catch(() => {})
    await Promise.resolve()
    const answer = this.put()
    this.current = answer
    this.next = undefined
    return await answer
  }
}
