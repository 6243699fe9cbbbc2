/** The members of JSON bodies as Go reads them: null is "not given", unknown members are overlooked, types are strict. */
import { z } from 'zod'

/** What reaches the engine holds no null but where null has a meaning of its own. */
export function maybe<T extends z.ZodType>(schema: T) {
  return z.nullish(schema).transform(value => value ?? undefined)
}

/** No NUL: it would end the text early in the kernel. */
export const string = z.string().refine(text => !text.includes('\0'), { error: 'must not contain a NUL character' })
export const text = maybe(string)
export const flag = maybe(z.boolean())
export const number = maybe(z.int())
export const strings = maybe(z.array(string))
export const stringMap = maybe(z.record(string, string))
/** Docker takes a command as one string as well. */
export const command = maybe(z.union([z.array(string), string.transform(word => [word])]))
/** Rows, columns. */
export const size = maybe(z.array(z.int().min(0)).max(2))

/** What a schema gives, as it is sent and passed on: read-only all the way down, and what may be missing may be left out. */
export type Sent<T> = T extends readonly (infer U)[]
  ? readonly Sent<U>[]
  : T extends object
    ? { readonly [K in keyof T as undefined extends T[K] ? never : K]: Sent<T[K]> } & {
        readonly [K in keyof T as undefined extends T[K] ? K : never]?: Sent<Exclude<T[K], undefined>>
      }
    : T
