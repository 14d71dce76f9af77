// Generated from the database by `make types`.

export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "audit_log": {
                  Row: {
                    "action": string,"actor_id": string | null,"created_at": string,"details": NonNullable<Json>,"id": number,"subject_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "action": string,"actor_id"?: string | null,"created_at"?: string,"details"?: NonNullable<Json>,"id"?: never,"subject_id": string
                  }
                  Update: {
                    "action"?: string,"actor_id"?: string | null,"created_at"?: string,"details"?: NonNullable<Json>,"id"?: never,"subject_id"?: string
                  }
                  Relationships: [
                    
                  ]
                },"escrow_agreements": {
                  Row: {
                    "created_at": string,"creator_agent_id": string | null,"creator_id": string,"currency": string,"fee_bps": number,"id": string,"pay_within_days": number,"review_days": number,"revision_limit": number,"sponsor_agent_id": string | null,"sponsor_id": string,"title": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"creator_agent_id"?: string | null,"creator_id": string,"currency": string,"fee_bps"?: number,"id"?: string,"pay_within_days": number,"review_days": number,"revision_limit": number,"sponsor_agent_id"?: string | null,"sponsor_id": string,"title": string
                  }
                  Update: {
                    "created_at"?: string,"creator_agent_id"?: string | null,"creator_id"?: string,"currency"?: string,"fee_bps"?: number,"id"?: string,"pay_within_days"?: number,"review_days"?: number,"revision_limit"?: number,"sponsor_agent_id"?: string | null,"sponsor_id"?: string,"title"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "escrow_agreements_creator_agent_id_fkey"
      columns: ["creator_agent_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "escrow_agreements_creator_id_fkey"
      columns: ["creator_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "escrow_agreements_sponsor_agent_id_fkey"
      columns: ["sponsor_agent_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "escrow_agreements_sponsor_id_fkey"
      columns: ["sponsor_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"escrow_events": {
                  Row: {
                    "actor_id": string | null,"amount_minor": number | null,"created_at": string,"escrow_id": string,"from_status": string | null,"id": number,"reason": string | null,"to_status": string
                  }
                  ComputedFields: never
                  Insert: {
                    "actor_id"?: string | null,"amount_minor"?: number | null,"created_at"?: string,"escrow_id": string,"from_status"?: string | null,"id"?: never,"reason"?: string | null,"to_status": string
                  }
                  Update: {
                    "actor_id"?: string | null,"amount_minor"?: number | null,"created_at"?: string,"escrow_id"?: string,"from_status"?: string | null,"id"?: never,"reason"?: string | null,"to_status"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "escrow_events_escrow_id_fkey"
      columns: ["escrow_id"]
isOneToOne: false
      referencedRelation: "escrows"
      referencedColumns: ["id"]
    }
                  ]
                },"escrow_transitions": {
                  Row: {
                    "from_status": string,"to_status": string
                  }
                  ComputedFields: never
                  Insert: {
                    "from_status": string,"to_status": string
                  }
                  Update: {
                    "from_status"?: string,"to_status"?: string
                  }
                  Relationships: [
                    
                  ]
                },"escrows": {
                  Row: {
                    "agreement_id": string,"closed_at": string | null,"created_at": string,"creator_id": string,"currency": string,"due_at": string | null,"fee_minor": number,"funded_at": string | null,"id": string,"payment_reference": string | null,"position": number,"price_minor": number,"provider": string | null,"refunded_minor": number,"released_minor": number,"remaining_minor": number,"review_due_at": string | null,"revisions": number,"sponsor_id": string,"status": string,"status_reason": string | null,"taken_back_minor": number,"title": string,"total_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "agreement_id": string,"closed_at"?: string | null,"created_at"?: string,"creator_id": string,"currency": string,"due_at"?: string | null,"fee_minor": number,"funded_at"?: string | null,"id"?: string,"payment_reference"?: string | null,"position": number,"price_minor": number,"provider"?: string | null,"refunded_minor"?: number,"released_minor"?: number,"remaining_minor"?: number,"review_due_at"?: string | null,"revisions"?: number,"sponsor_id": string,"status"?: string,"status_reason"?: string | null,"taken_back_minor"?: number,"title": string,"total_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "agreement_id"?: string,"closed_at"?: string | null,"created_at"?: string,"creator_id"?: string,"currency"?: string,"due_at"?: string | null,"fee_minor"?: number,"funded_at"?: string | null,"id"?: string,"payment_reference"?: string | null,"position"?: number,"price_minor"?: number,"provider"?: string | null,"refunded_minor"?: number,"released_minor"?: number,"remaining_minor"?: number,"review_due_at"?: string | null,"revisions"?: number,"sponsor_id"?: string,"status"?: string,"status_reason"?: string | null,"taken_back_minor"?: number,"title"?: string,"total_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "escrows_agreement_id_fkey"
      columns: ["agreement_id"]
isOneToOne: false
      referencedRelation: "escrow_agreements"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "escrows_creator_id_fkey"
      columns: ["creator_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "escrows_sponsor_id_fkey"
      columns: ["sponsor_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"ledger_accounts": {
                  Row: {
                    "created_at": string,"currency": string,"floor_minor": number,"id": number,"is_folded": boolean,"kind": string,"last_posted_at": string,"owner_id": string | null,"posted_minor": number,"provider": string | null,"reserved_minor": number,"subject_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"currency": string,"floor_minor"?: number,"id"?: never,"is_folded"?: never,"kind": string,"last_posted_at"?: string,"owner_id"?: string | null,"posted_minor"?: number,"provider"?: string | null,"reserved_minor"?: number,"subject_id"?: string | null
                  }
                  Update: {
                    "created_at"?: string,"currency"?: string,"floor_minor"?: number,"id"?: never,"is_folded"?: never,"kind"?: string,"last_posted_at"?: string,"owner_id"?: string | null,"posted_minor"?: number,"provider"?: string | null,"reserved_minor"?: number,"subject_id"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "ledger_accounts_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"ledger_entries": {
                  Row: {
                    "account_id": number,"amount_minor": number,"balance_minor": number | null,"posted_at": string,"transaction_id": number
                  }
                  ComputedFields: never
                  Insert: {
                    "account_id": number,"amount_minor": number,"balance_minor"?: number | null,"posted_at": string,"transaction_id": number
                  }
                  Update: {
                    "account_id"?: number,"amount_minor"?: number,"balance_minor"?: number | null,"posted_at"?: string,"transaction_id"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "ledger_entries_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "ledger_accounts"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "ledger_entries_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "ledger_balances"
      referencedColumns: ["account_id"]
    },{
      foreignKeyName: "ledger_entries_transaction_id_fkey"
      columns: ["transaction_id"]
isOneToOne: false
      referencedRelation: "ledger_transactions"
      referencedColumns: ["id"]
    }
                  ]
                },"ledger_reservations": {
                  Row: {
                    "account_id": number,"amount_minor": number,"closed_at": string | null,"created_at": string,"expires_at": string | null,"id": string,"idempotency_key": string,"input_hash": string,"status": string,"subject_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "account_id": number,"amount_minor": number,"closed_at"?: string | null,"created_at"?: string,"expires_at"?: string | null,"id"?: string,"idempotency_key": string,"input_hash": string,"status"?: string,"subject_id"?: string | null
                  }
                  Update: {
                    "account_id"?: number,"amount_minor"?: number,"closed_at"?: string | null,"created_at"?: string,"expires_at"?: string | null,"id"?: string,"idempotency_key"?: string,"input_hash"?: string,"status"?: string,"subject_id"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "ledger_reservations_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "ledger_accounts"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "ledger_reservations_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "ledger_balances"
      referencedColumns: ["account_id"]
    }
                  ]
                },"ledger_transactions": {
                  Row: {
                    "id": number,"idempotency_key": string,"input_hash": string,"kind": string,"memo": string,"posted_at": string,"subject_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "id"?: never,"idempotency_key": string,"input_hash": string,"kind": string,"memo"?: string,"posted_at": string,"subject_id"?: string | null
                  }
                  Update: {
                    "id"?: never,"idempotency_key"?: string,"input_hash"?: string,"kind"?: string,"memo"?: string,"posted_at"?: string,"subject_id"?: string | null
                  }
                  Relationships: [
                    
                  ]
                },"orders": {
                  Row: {
                    "amount_minor": number,"created_at": string,"currency": string,"escrow_id": string | null,"id": string,"paid_at": string | null,"payer_id": string,"provider": string | null,"provider_reference": string | null,"purpose": string,"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"created_at"?: string,"currency": string,"escrow_id"?: string | null,"id"?: string,"paid_at"?: string | null,"payer_id": string,"provider"?: string | null,"provider_reference"?: string | null,"purpose": string,"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "amount_minor"?: number,"created_at"?: string,"currency"?: string,"escrow_id"?: string | null,"id"?: string,"paid_at"?: string | null,"payer_id"?: string,"provider"?: string | null,"provider_reference"?: string | null,"purpose"?: string,"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "orders_escrow_id_fkey"
      columns: ["escrow_id"]
isOneToOne: false
      referencedRelation: "escrows"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "orders_payer_id_fkey"
      columns: ["payer_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"profile_private": {
                  Row: {
                    "country": string | null,"created_at": string,"legal_name": string | null,"phone": string | null,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "country"?: string | null,"created_at"?: string,"legal_name"?: string | null,"phone"?: string | null,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "country"?: string | null,"created_at"?: string,"legal_name"?: string | null,"phone"?: string | null,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "profile_private_user_id_fkey"
      columns: ["user_id"]
isOneToOne: true
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"profiles": {
                  Row: {
                    "avatar_path": string | null,"bio": string,"created_at": string,"deleted_at": string | null,"display_name": string,"handle": string | null,"id": string,"is_verified": boolean,"updated_at": string,"visibility": string
                  }
                  ComputedFields: never
                  Insert: {
                    "avatar_path"?: string | null,"bio"?: string,"created_at"?: string,"deleted_at"?: string | null,"display_name": string,"handle"?: string | null,"id": string,"is_verified"?: boolean,"updated_at"?: string,"visibility"?: string
                  }
                  Update: {
                    "avatar_path"?: string | null,"bio"?: string,"created_at"?: string,"deleted_at"?: string | null,"display_name"?: string,"handle"?: string | null,"id"?: string,"is_verified"?: boolean,"updated_at"?: string,"visibility"?: string
                  }
                  Relationships: [
                    
                  ]
                },"referral_codes": {
                  Row: {
                    "agent_id": string,"code": string,"created_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "agent_id": string,"code": string,"created_at"?: string
                  }
                  Update: {
                    "agent_id"?: string,"code"?: string,"created_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "referral_codes_agent_id_fkey"
      columns: ["agent_id"]
isOneToOne: true
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"referrals": {
                  Row: {
                    "agent_id": string,"created_at": string,"referred_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "agent_id": string,"created_at"?: string,"referred_id": string
                  }
                  Update: {
                    "agent_id"?: string,"created_at"?: string,"referred_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "referrals_agent_id_fkey"
      columns: ["agent_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "referrals_referred_id_fkey"
      columns: ["referred_id"]
isOneToOne: true
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"role_assignments": {
                  Row: {
                    "created_at": string,"granted_by": string | null,"role": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"granted_by"?: string | null,"role": string,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"granted_by"?: string | null,"role"?: string,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "role_assignments_granted_by_fkey"
      columns: ["granted_by"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "role_assignments_user_id_fkey"
      columns: ["user_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"suspensions": {
                  Row: {
                    "created_at": string,"ends_at": string | null,"id": string,"lifted_at": string | null,"lifted_by": string | null,"reason": string,"suspended_by": string | null,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"ends_at"?: string | null,"id"?: string,"lifted_at"?: string | null,"lifted_by"?: string | null,"reason": string,"suspended_by"?: string | null,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"ends_at"?: string | null,"id"?: string,"lifted_at"?: string | null,"lifted_by"?: string | null,"reason"?: string,"suspended_by"?: string | null,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "suspensions_lifted_by_fkey"
      columns: ["lifted_by"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "suspensions_suspended_by_fkey"
      columns: ["suspended_by"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "suspensions_user_id_fkey"
      columns: ["user_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"user_settings": {
                  Row: {
                    "created_at": string,"locale": string,"theme": string,"time_zone": string,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"locale"?: string,"theme"?: string,"time_zone"?: string,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"locale"?: string,"theme"?: string,"time_zone"?: string,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "user_settings_user_id_fkey"
      columns: ["user_id"]
isOneToOne: true
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Views: {
            "ledger_balances": {
                  Row: {
                    "account_id": number,"available_minor": number | null,"currency": string,"kind": string,"owner_id": string | null,"posted_minor": number,"reserved_minor": number
                  }
                  ComputedFields: never
                  Insert: {
                           "account_id"?: number | null,"available_minor"?: never,"currency"?: string | null,"kind"?: string | null,"owner_id"?: string | null,"posted_minor"?: number | null,"reserved_minor"?: number | null
                         }
                        Update: {
                           "account_id"?: number | null,"available_minor"?: never,"currency"?: string | null,"kind"?: string | null,"owner_id"?: string | null,"posted_minor"?: number | null,"reserved_minor"?: number | null
                         }
                        Relationships: [
                    {
      foreignKeyName: "ledger_accounts_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"ledger_statement": {
                  Row: {
                    "account_id": number,"amount_minor": number,"balance_minor": number | null,"currency": string,"kind": string,"memo": string,"posted_at": string,"subject_id": string | null,"transaction_id": number
                  }
                  ComputedFields: never
                  Relationships: [
                    {
      foreignKeyName: "ledger_entries_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "ledger_accounts"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "ledger_entries_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "ledger_balances"
      referencedColumns: ["account_id"]
    },{
      foreignKeyName: "ledger_entries_transaction_id_fkey"
      columns: ["transaction_id"]
isOneToOne: false
      referencedRelation: "ledger_transactions"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Functions: {
            "approve_escrow":
{ Args: { "escrow_id": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"cancel_escrow":
{ Args: { "escrow_id": string,"reason"?: string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"choose_role":
{ Args: { "role": unknown }; Returns: undefined
                           },
"claim_referral":
{ Args: { "code": string }; Returns: {
              "agent_id": string,
"created_at": string,
"referred_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "referrals"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_order":
{ Args: { "amount_minor": number,"currency": string,"purpose": string }; Returns: {
              "amount_minor": number,
"created_at": string,
"currency": string,
"escrow_id": string | null,
"id": string,
"paid_at": string | null,
"payer_id": string,
"provider": string | null,
"provider_reference": string | null,
"purpose": string,
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"delete_account":
{ Args: Record<PropertyKey, never>; Returns: undefined
                           },
"dispute_escrow":
{ Args: { "escrow_id": string,"evidence": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"get_balance_at":
{ Args: { "account_id": number,"moment": string }; Returns: number
                           },
"get_referral_code":
{ Args: Record<PropertyKey, never>; Returns: string
                           },
"grant_role":
{ Args: { "role": unknown,"user_id": string }; Returns: undefined
                           },
"lift_suspension":
{ Args: { "user_id": string }; Returns: undefined
                           },
"open_escrow":
{ Args: { "creator_id": string,"currency": string,"milestones": Json,"pay_within_days"?: number,"review_days"?: number,"revision_limit"?: number,"title": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }[]
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: false
        isSetofReturn: true
      } },
"order_escrow":
{ Args: { "escrow_id": string }; Returns: {
              "amount_minor": number,
"created_at": string,
"currency": string,
"escrow_id": string | null,
"id": string,
"paid_at": string | null,
"payer_id": string,
"provider": string | null,
"provider_reference": string | null,
"purpose": string,
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"refund_escrow":
{ Args: { "amount_minor"?: number,"escrow_id": string,"reason": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"reject_work":
{ Args: { "escrow_id": string,"feedback": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"resolve_dispute":
{ Args: { "escrow_id": string,"outcome": string,"reason": string,"refund_minor"?: number }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"revoke_role":
{ Args: { "role": unknown,"user_id": string }; Returns: undefined
                           },
"start_review":
{ Args: { "escrow_id": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"start_work":
{ Args: { "escrow_id": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"submit_work":
{ Args: { "escrow_id": string,"work": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"funded_at": string | null,
"id": string,
"payment_reference": string | null,
"position": number,
"price_minor": number,
"provider": string | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"review_due_at": string | null,
"revisions": number,
"sponsor_id": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "escrows"
        isOneToOne: true
        isSetofReturn: false
      } },
"suspend_user":
{ Args: { "ends_at"?: string,"reason": string,"user_id": string }; Returns: {
              "created_at": string,
"ends_at": string | null,
"id": string,
"lifted_at": string | null,
"lifted_by": string | null,
"reason": string,
"suspended_by": string | null,
"user_id": string
            }
                          SetofOptions: {
        from: "*"
        to: "suspensions"
        isOneToOne: true
        isSetofReturn: false
      } }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            
          }
        }
} as const
