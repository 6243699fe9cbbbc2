/** The JSON Schemas of what we read and print, for editors and programs. */
import { command } from '../command.ts'
import { usage } from '../options.ts'

const schemas = {
  /** As schemas/stack.schema.json: what is honoured by which engine stands in it. */
  async stack() {
    const [{ stackSchema }, { attributePaths }, { supportTable }] = await Promise.all([
      import('../../stack/json-schema.ts'),
      import('../../stack/attributes.ts'),
      import('../../targets/engine/support.ts'),
    ])
    return stackSchema(supportTable(attributePaths()))
  },
  async progress() {
    return (await import('../progress/json-schema.ts')).progressSchema()
  },
} as const

export const schema = command({
  usage: '[stack|progress]',
  about:
    'stack (the default): of Compose files, x-… attributes of ours included, for the comment "# yaml-language-server: $schema=FILE". progress: of each line of --progress json.',
  words: [0, 1],
  options: {},
  examples: [
    ['tscompose schema > compose.schema.json', 'for an editor'],
    ['tscompose schema progress', 'what --progress json writes'],
  ],
  async run({ args, screen }) {
    const name = args[0] ?? 'stack'
    if (!Object.hasOwn(schemas, name))
      throw usage(`There is no schema of "${name}"`, `It is one of: ${Object.keys(schemas).join(', ')}`)
    screen.print(JSON.stringify(await schemas[name as keyof typeof schemas](), null, 1))
  },
})
