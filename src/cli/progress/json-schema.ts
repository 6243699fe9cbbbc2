/** The JSON Schema of each line that `--progress json` writes to standard error; schemas/progress.schema.json is made of it. */

/** Raised when a member changes its meaning or goes; new members and new events are no change. */
export const progressVersion = 1

const text = (description: string) => ({ type: 'string', description })
const number = (description: string) => ({ type: 'number', description })

/** Event → [what it says, members it has besides those of all, those of them that are always there]. */
const events: Readonly<Record<string, readonly [string, Readonly<Record<string, object>>, readonly string[]]>> = {
  started: ['The operation has begun', {}, []],
  progress: [
    'How far it is',
    {
      text: text('What is being done'),
      current: number('Bytes so far'),
      total: number('Bytes in all that is known of'),
    },
    ['text'],
  ],
  build: [
    'What an image build tells: a step, a part of one, output, a warning',
    {
      build: {
        type: 'object',
        properties: { kind: { enum: ['step', 'part', 'output', 'warning'] } },
        required: ['kind'],
      },
    },
    ['build'],
  ],
  warning: ['Something that is no failure', { text: text('For people') }, ['text']],
  output: ['A line that a hook has printed', { text: text('The line') }, ['text']],
  done: [
    'It has ended well',
    {
      outcome: { enum: ['healthy', 'exited', 'running', 'unready', 'in-use'], description: 'What became of it' },
      milliseconds: number('How long it took'),
    },
    ['milliseconds'],
  ],
  failed: [
    'It has failed',
    { milliseconds: number('How long it took'), error: text('What is wrong, for people') },
    ['milliseconds', 'error'],
  ],
  skipped: [
    'It was never begun',
    { because: { type: 'integer', description: 'The node whose failure it is; absent: all was stopped' } },
    [],
  ],
}

export function progressSchema(): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A line of tscompose --progress json',
    description: `Version ${progressVersion}. Readers should pass over members and events that they do not know.`,
    type: 'object',
    properties: {
      version: { const: progressVersion },
      event: { enum: Object.keys(events) },
      node: { type: 'integer', minimum: 1, description: 'The number of the operation in its plan' },
      operation: text('What is done: create-container, pull-image, …'),
      name: text('What it is done to'),
      service: text('Whose it is, where it is of one service'),
      cause: text('Why it is done, for people'),
    },
    required: ['version', 'event', 'node', 'operation', 'name', 'cause'],
    oneOf: Object.entries(events).map(([event, [description, properties, required]]) => ({
      description,
      properties: { event: { const: event }, ...properties },
      required,
    })),
  }
}
