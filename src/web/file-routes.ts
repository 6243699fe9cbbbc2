/** The files of a stack: read, checked by the loader before they are saved, saved. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { definition } from '../language/definition.ts'
import { isFailure } from '../lib/failure.ts'
import { isLevel } from '../view/log-level.ts'
import { logText } from './log-topic.ts'
import { problemRows } from './problem-rows.ts'
import type { Roads } from './roads.ts'
import { answered, post, type Route, read } from './routes.ts'
import { type FilesOf, listFiles, readText, writeText } from './stack-files.ts'
import { stackModel } from './stack-model.ts'
import type { Stacks } from './stacks.ts'
import type { DefinitionPlace, LogWish } from './wire.ts'

const path = z.string().min(1).max(4096)
const text = z.string().max(1024 * 1024)
const place = z
  .number()
  .int()
  .min(0)
  .max(1024 * 1024)

export function fileRoutes(stacks: Stacks, roads: Roads): readonly Route[] {
  const filesOf = async (stack: string) => {
    const place = stacks.place(stack)
    return { place, named: (await roads.read(place)).files }
  }
  return [
    read('GET /api/stacks/{stack}/model', async ({ params }) => {
      const place = stacks.place(params['stack']!)
      return stackModel(await roads.read(place), place)
    }),
    read('GET /api/stacks/{stack}/files', async ({ params, query }) =>
      listFiles(await filesOf(params['stack']!), query.get('folder') ?? undefined),
    ),
    read('GET /api/stacks/{stack}/file', async ({ params, query }) =>
      readText(await filesOf(params['stack']!), query.get('path') ?? ''),
    ),
    post(
      'PUT /api/stacks/{stack}/file',
      { changes: true, body: z.object({ path, text, version: z.string().max(64).optional() }) },
      async ({ params, body }) => {
        const written = writeText(await filesOf(params['stack']!), body, body.version)
        stacks.drifts.touch(params['stack']!)
        return written
      },
    ),
    post(
      'POST /api/stacks/{stack}/check',
      // it changes nothing, but has the loader read, and quote, whatever file the text names
      { changes: true, body: z.object({ texts: z.record(path, text) }) },
      async ({ params, body }) => {
        const place = stacks.place(params['stack']!)
        const { problems } = await roads.read(place, new Map(Object.entries(body.texts)))
        return problemRows(problems, place.directory)
      },
    ),
    post(
      'POST /api/stacks/{stack}/definition',
      { changes: false, body: z.object({ path, text, line: place, character: place }) },
      async ({ params, body }): Promise<DefinitionPlace | null> => {
        const at = stacks.place(params['stack']!)
        const { files: named, project } = await roads.read(at)
        const found = definition(body.text.split(/\r?\n/), body, {
          file: body.path,
          read: file => textOf({ place: at, named }, file),
          elsewhere(section, name) {
            const given = project?.place([section, name])
            if (!given) return undefined
            const { file, line, column } = given
            return { file: resolve(at.directory, file), line: line - 1, column: column - 1 }
          },
        })
        return found ? { file: found.file, line: found.line + 1, column: found.column + 1 } : null
      },
    ),
    read('GET /api/stacks/{stack}/logs.txt', async ({ params, query, response }) => {
      const stack = params['stack']!
      stacks.check(stack)
      const control = new AbortController()
      response.on('close', () => control.abort())
      const file = `${stack}.log`.replace(/[^\w.-]/g, '_')
      response.writeHead(200, {
        'content-type': 'text/plain; charset=utf-8',
        'content-disposition': `attachment; filename="${file}"`,
      })
      for await (const line of logText({ client: roads.client, stack, wish: wishOf(query), signal: control.signal }))
        if (!response.write(line)) await new Promise<void>(resolve => response.once('drain', resolve))
      response.end()
      return answered
    }),
  ]
}

/** Undefined: there is none that a page may see. */
function textOf(of: FilesOf, file: string): string | undefined {
  try {
    return readText(of, file).text
  } catch (error) {
    if (isFailure(error)) return undefined
    throw error
  }
}

function wishOf(query: URLSearchParams): LogWish {
  const level = query.get('level')
  const grep = query.get('grep')
  return {
    follow: false,
    services: query.getAll('services'),
    ...(grep && { grep }),
    ...(level && isLevel(level) && { level }),
  }
}
