// Who shows themselves to everyone, in TypeScript: `python examples/run.py examples/profiles.ts`.
import { createClient } from '@supabase/supabase-js'
import type { Database, Tables } from './types/database.ts'

type Profile = Pick<Tables<'profiles'>, 'handle' | 'display_name' | 'bio'>

const { SUPABASE_URL = '', SUPABASE_PUBLISHABLE_KEY = '' } = process.env
const client = createClient<Database>(SUPABASE_URL, SUPABASE_PUBLISHABLE_KEY)

const { data, error } = await client
  .from('profiles')
  .select('handle, display_name, bio')
  .not('handle', 'is', null)
  .order('handle')
if (error) throw new Error(error.message)

const people: Profile[] = data
for (const one of people) console.log(`${one.handle}: ${one.display_name}. ${one.bio}`)
