/** New containers take their names in the collection, and are in it once their records are written. */
import type { Collection } from './collection.ts'
import type { Records } from './records.ts'
import type { Seats } from './verbs/create.ts'

export function seatsOf(collection: Collection, records: Records): Seats {
  return {
    reserve: (id, name) => collection.reserve(id, name),
    release: name => collection.release(name),
    add: async container => {
      await records.save(container)
      collection.add(container)
    },
  }
}
