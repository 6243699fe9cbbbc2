/**
 * Ours: companions, programs that the engine starts when it starts and again when they die. What they are for it does not know.
 * Whoever may speak to the engine may have it run any program anyway, in a privileged container; so this opens nothing new.
 */
import type { BodyPieces } from './body-pieces.ts'
import { endpoint, json, table } from './endpoint.ts'

export interface CompanionRequest {
  /**
   * The program by its absolute path, and its arguments. Its standard input stays open as long as the engine lives: it should end
   * when that ends. One that exits with 0 has nothing more to do and is forgotten; any other exit starts it again.
   */
  readonly Command: readonly string[]
  /** NAME=VALUE, beside the engine's own. */
  readonly Environment?: readonly string[] | null
  /**
   * Filters of labels, as in `label=`: containers that match one are left to it when the engine starts, whatever their restart
   * policy; those that it cannot start, because it does not live, the engine starts itself.
   */
  readonly Starts?: readonly string[] | null
}

export interface CompanionStarts {
  readonly Starts: readonly string[]
}

export interface Companion {
  readonly Name: string
  readonly Command: readonly string[]
  readonly Starts: readonly string[]
  /** 0: it does not run at this moment. */
  readonly Pid: number
  /** How often it has been started again since the engine started. */
  readonly Restarts: number
}

/** Containers by id or name. */
const starts = ({ z }: BodyPieces) => z.array(z.string().min(1).max(1024)).max(4096)

export const companionEndpoints = table({
  companionList: endpoint('GET', '/companions', { reply: json<readonly Companion[]>() }),
  /** The same command again changes nothing but what is left to it; another one takes the place of the one before. */
  companionPut: endpoint('PUT', '/companions/{name}', {
    body: json<CompanionRequest>(schemas => {
      const { z, maybe } = schemas
      return z.object({
        Command: z
          .array(z.string().max(4096))
          .min(1)
          .max(64)
          .refine(
            // also asked of a list that is too short
            words => words[0]?.startsWith('/') === true && !words.some(word => word.includes('\0')),
            'it begins with an absolute path',
          ),
        Environment: maybe(z.array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*=[^\0]*$/)).max(256)),
        Starts: maybe(starts(schemas)),
      })
    }),
  }),
  /** What is left to it changes, it goes on. */
  companionStarts: endpoint('PUT', '/companions/{name}/starts', {
    body: json<CompanionStarts>(schemas => schemas.z.object({ Starts: starts(schemas) })),
  }),
  /** Ends and forgets it. */
  companionRemove: endpoint('DELETE', '/companions/{name}', {}),
})
