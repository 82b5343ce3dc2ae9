import { readFile, rename, writeFile } from 'node:fs/promises'

/** A checkpoint in a file, which is there whole or not at all. */
export function fileCheckpoint(file) {
  return {
    async load() {
      const text = await readFile(file, 'utf8').catch((error) => {
        if (error.code !== 'ENOENT') throw error
        return 'null'
      })
      return JSON.parse(text)
    },
    async save(progress) {
      await writeFile(`${file}.new`, JSON.stringify(progress))
      await rename(`${file}.new`, file)
    },
  }
}
