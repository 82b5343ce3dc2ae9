/**
 * Does `work` for every item, for at most `limit` of them at one time. An item is taken when somebody is free to work on
 * it, so however many there are, few are in memory.
 *
 * The first failure ends it: no further item is taken, work under way goes on to its end, and then it rejects with that
 * failure. Work that may fail without harm to the rest catches its failures itself.
 */
export async function severalAtOnce<T>(
  items: AsyncGenerator<T, void, undefined>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = []
  const oneAfterTheOther = async (): Promise<void> => {
    try {
      while (failures.length === 0) {
        const { value, done } = await items.next()
        if (done === true) return
        await work(value)
      }
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all(Array.from({ length: limit }, oneAfterTheOther))
  await items.return()
  if (failures.length > 0) throw failures[0]
}
