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
                },"booking_events": {
                  Row: {
                    "actor_id": string | null,"amount_minor": number | null,"booking_id": string,"created_at": string,"from_status": string | null,"id": number,"reason": string | null,"to_status": string
                  }
                  ComputedFields: never
                  Insert: {
                    "actor_id"?: string | null,"amount_minor"?: number | null,"booking_id": string,"created_at"?: string,"from_status"?: string | null,"id"?: never,"reason"?: string | null,"to_status": string
                  }
                  Update: {
                    "actor_id"?: string | null,"amount_minor"?: number | null,"booking_id"?: string,"created_at"?: string,"from_status"?: string | null,"id"?: never,"reason"?: string | null,"to_status"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "booking_events_booking_id_fkey"
      columns: ["booking_id"]
isOneToOne: false
      referencedRelation: "bookings"
      referencedColumns: ["id"]
    }
                  ]
                },"booking_offers": {
                  Row: {
                    "created_at": string,"currency": string,"description": string,"duration_minutes": number,"full_refund_hours": number,"host_id": string,"id": string,"is_open": boolean,"part_refund_bps": number,"part_refund_hours": number,"price_minor": number,"title": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"currency": string,"description"?: string,"duration_minutes": number,"full_refund_hours"?: number,"host_id": string,"id"?: string,"is_open"?: boolean,"part_refund_bps"?: number,"part_refund_hours"?: number,"price_minor": number,"title": string,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"currency"?: string,"description"?: string,"duration_minutes"?: number,"full_refund_hours"?: number,"host_id"?: string,"id"?: string,"is_open"?: boolean,"part_refund_bps"?: number,"part_refund_hours"?: number,"price_minor"?: number,"title"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "booking_offers_host_id_fkey"
      columns: ["host_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"booking_transitions": {
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
                },"bookings": {
                  Row: {
                    "band": string | null,"charged_back_minor": number,"closed_at": string | null,"completed_at": string | null,"completes_at": string,"created_at": string,"currency": string,"ends_at": string,"expires_at": string,"frozen_at": string | null,"funded_at": string | null,"guest_confirmed_at": string | null,"guest_id": string,"host_confirmed_at": string | null,"host_id": string,"host_minor": number,"id": string,"is_stuck": boolean,"no_show_party": string | null,"offer_id": string,"payment_reference": string | null,"penalty_minor": number,"policy_version": number,"provider": string | null,"rating": number | null,"refunded_minor": number,"released_minor": number,"remaining_minor": number,"settles_at": string | null,"starts_at": string,"status": string,"status_reason": string | null,"taken_back_minor": number,"title": string,"total_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "band"?: string | null,"charged_back_minor"?: number,"closed_at"?: string | null,"completed_at"?: string | null,"completes_at": string,"created_at"?: string,"currency": string,"ends_at": string,"expires_at": string,"frozen_at"?: string | null,"funded_at"?: string | null,"guest_confirmed_at"?: string | null,"guest_id": string,"host_confirmed_at"?: string | null,"host_id": string,"host_minor"?: number,"id"?: string,"is_stuck"?: boolean,"no_show_party"?: string | null,"offer_id": string,"payment_reference"?: string | null,"penalty_minor"?: number,"policy_version": number,"provider"?: string | null,"rating"?: number | null,"refunded_minor"?: number,"released_minor"?: number,"remaining_minor"?: number,"settles_at"?: string | null,"starts_at": string,"status"?: string,"status_reason"?: string | null,"taken_back_minor"?: number,"title": string,"total_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "band"?: string | null,"charged_back_minor"?: number,"closed_at"?: string | null,"completed_at"?: string | null,"completes_at"?: string,"created_at"?: string,"currency"?: string,"ends_at"?: string,"expires_at"?: string,"frozen_at"?: string | null,"funded_at"?: string | null,"guest_confirmed_at"?: string | null,"guest_id"?: string,"host_confirmed_at"?: string | null,"host_id"?: string,"host_minor"?: number,"id"?: string,"is_stuck"?: boolean,"no_show_party"?: string | null,"offer_id"?: string,"payment_reference"?: string | null,"penalty_minor"?: number,"policy_version"?: number,"provider"?: string | null,"rating"?: number | null,"refunded_minor"?: number,"released_minor"?: number,"remaining_minor"?: number,"settles_at"?: string | null,"starts_at"?: string,"status"?: string,"status_reason"?: string | null,"taken_back_minor"?: number,"title"?: string,"total_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "bookings_guest_id_fkey"
      columns: ["guest_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "bookings_host_id_fkey"
      columns: ["host_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "bookings_offer_id_fkey"
      columns: ["offer_id"]
isOneToOne: false
      referencedRelation: "booking_offers"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "bookings_policy_version_band_fkey"
      columns: ["policy_version","band"]
isOneToOne: false
      referencedRelation: "settlement_bands"
      referencedColumns: ["policy_version","name"]
    },{
      foreignKeyName: "bookings_policy_version_fkey"
      columns: ["policy_version"]
isOneToOne: false
      referencedRelation: "settlement_policies"
      referencedColumns: ["version"]
    }
                  ]
                },"connected_accounts": {
                  Row: {
                    "changed_at": string,"country": string,"created_at": string,"fingerprint": string | null,"id": string,"is_default": boolean,"label": string,"note": string | null,"owner_id": string,"provider": string,"reference": string | null,"requirements": (string)[],"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "changed_at"?: string,"country": string,"created_at"?: string,"fingerprint"?: string | null,"id"?: string,"is_default"?: boolean,"label"?: string,"note"?: string | null,"owner_id": string,"provider": string,"reference"?: string | null,"requirements"?: (string)[],"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "changed_at"?: string,"country"?: string,"created_at"?: string,"fingerprint"?: string | null,"id"?: string,"is_default"?: boolean,"label"?: string,"note"?: string | null,"owner_id"?: string,"provider"?: string,"reference"?: string | null,"requirements"?: (string)[],"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "connected_accounts_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
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
                    "agreement_id": string,"closed_at": string | null,"created_at": string,"creator_id": string,"currency": string,"due_at": string | null,"fee_minor": number,"frozen_at": string | null,"funded_at": string | null,"hold_until": string | null,"hold_warn_at": string | null,"hold_warned_at": string | null,"id": string,"payment_reference": string | null,"position": number,"price_minor": number,"provider": string | null,"refunded_minor": number,"released_minor": number,"remaining_minor": number,"review_due_at": string | null,"revisions": number,"sponsor_id": string,"status": string,"status_reason": string | null,"taken_back_minor": number,"title": string,"total_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "agreement_id": string,"closed_at"?: string | null,"created_at"?: string,"creator_id": string,"currency": string,"due_at"?: string | null,"fee_minor": number,"frozen_at"?: string | null,"funded_at"?: string | null,"hold_until"?: string | null,"hold_warn_at"?: string | null,"hold_warned_at"?: string | null,"id"?: string,"payment_reference"?: string | null,"position": number,"price_minor": number,"provider"?: string | null,"refunded_minor"?: number,"released_minor"?: number,"remaining_minor"?: number,"review_due_at"?: string | null,"revisions"?: number,"sponsor_id": string,"status"?: string,"status_reason"?: string | null,"taken_back_minor"?: number,"title": string,"total_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "agreement_id"?: string,"closed_at"?: string | null,"created_at"?: string,"creator_id"?: string,"currency"?: string,"due_at"?: string | null,"fee_minor"?: number,"frozen_at"?: string | null,"funded_at"?: string | null,"hold_until"?: string | null,"hold_warn_at"?: string | null,"hold_warned_at"?: string | null,"id"?: string,"payment_reference"?: string | null,"position"?: number,"price_minor"?: number,"provider"?: string | null,"refunded_minor"?: number,"released_minor"?: number,"remaining_minor"?: number,"review_due_at"?: string | null,"revisions"?: number,"sponsor_id"?: string,"status"?: string,"status_reason"?: string | null,"taken_back_minor"?: number,"title"?: string,"total_minor"?: number,"updated_at"?: string
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
                },"invoices": {
                  Row: {
                    "attempts": number,"changed_at": string,"changed_by": string,"charged_back_minor": number,"created_at": string,"credited_minor": number,"currency": string,"hosted_url": string | null,"id": string,"issued_at": string,"next_attempt_at": string | null,"number": string | null,"owner_id": string,"paid_minor": number,"pdf_url": string | null,"period_end": string | null,"period_start": string | null,"provider": string,"reference": string,"refunded_minor": number,"status": string,"subscription_id": string | null,"subscription_reference": string,"total_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "attempts"?: number,"changed_at": string,"changed_by"?: string,"charged_back_minor"?: number,"created_at"?: string,"credited_minor"?: number,"currency": string,"hosted_url"?: string | null,"id"?: string,"issued_at": string,"next_attempt_at"?: string | null,"number"?: string | null,"owner_id": string,"paid_minor"?: number,"pdf_url"?: string | null,"period_end"?: string | null,"period_start"?: string | null,"provider": string,"reference": string,"refunded_minor"?: number,"status": string,"subscription_id"?: string | null,"subscription_reference": string,"total_minor": number,"updated_at"?: string
                  }
                  Update: {
                    "attempts"?: number,"changed_at"?: string,"changed_by"?: string,"charged_back_minor"?: number,"created_at"?: string,"credited_minor"?: number,"currency"?: string,"hosted_url"?: string | null,"id"?: string,"issued_at"?: string,"next_attempt_at"?: string | null,"number"?: string | null,"owner_id"?: string,"paid_minor"?: number,"pdf_url"?: string | null,"period_end"?: string | null,"period_start"?: string | null,"provider"?: string,"reference"?: string,"refunded_minor"?: number,"status"?: string,"subscription_id"?: string | null,"subscription_reference"?: string,"total_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "invoices_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "invoices_subscription_id_fkey"
      columns: ["subscription_id"]
isOneToOne: false
      referencedRelation: "subscriptions"
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
                },"operator_approvals": {
                  Row: {
                    "action": string,"created_at": string,"decided_at": string | null,"decided_by": string | null,"expires_at": string,"id": string,"input": NonNullable<Json>,"note": string | null,"owner_id": string | null,"proposed_by": string,"reason": string,"result": Json | null,"status": string,"subject_id": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "action": string,"created_at"?: string,"decided_at"?: string | null,"decided_by"?: string | null,"expires_at": string,"id"?: string,"input": NonNullable<Json>,"note"?: string | null,"owner_id"?: string | null,"proposed_by": string,"reason": string,"result"?: Json | null,"status"?: string,"subject_id"?: string | null
                  }
                  Update: {
                    "action"?: string,"created_at"?: string,"decided_at"?: string | null,"decided_by"?: string | null,"expires_at"?: string,"id"?: string,"input"?: NonNullable<Json>,"note"?: string | null,"owner_id"?: string | null,"proposed_by"?: string,"reason"?: string,"result"?: Json | null,"status"?: string,"subject_id"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "operator_approvals_decided_by_fkey"
      columns: ["decided_by"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "operator_approvals_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "operator_approvals_proposed_by_fkey"
      columns: ["proposed_by"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"orders": {
                  Row: {
                    "amount_minor": number,"booking_id": string | null,"created_at": string,"currency": string,"escrow_id": string | null,"id": string,"paid_at": string | null,"payer_country": string | null,"payer_id": string,"payer_tax_id": string | null,"provider": string | null,"provider_reference": string | null,"purpose": string,"status": string,"tax_bps": number,"tax_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"booking_id"?: string | null,"created_at"?: string,"currency": string,"escrow_id"?: string | null,"id"?: string,"paid_at"?: string | null,"payer_country"?: string | null,"payer_id": string,"payer_tax_id"?: string | null,"provider"?: string | null,"provider_reference"?: string | null,"purpose": string,"status"?: string,"tax_bps"?: number,"tax_minor"?: number,"updated_at"?: string
                  }
                  Update: {
                    "amount_minor"?: number,"booking_id"?: string | null,"created_at"?: string,"currency"?: string,"escrow_id"?: string | null,"id"?: string,"paid_at"?: string | null,"payer_country"?: string | null,"payer_id"?: string,"payer_tax_id"?: string | null,"provider"?: string | null,"provider_reference"?: string | null,"purpose"?: string,"status"?: string,"tax_bps"?: number,"tax_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "orders_booking_id_fkey"
      columns: ["booking_id"]
isOneToOne: false
      referencedRelation: "bookings"
      referencedColumns: ["id"]
    },{
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
                },"payment_attempts": {
                  Row: {
                    "approved_at": string | null,"created_at": string,"id": string,"look_at": string,"order_id": string,"provider": string,"reason": string | null,"reference": string | null,"status": string,"updated_at": string,"way": string
                  }
                  ComputedFields: never
                  Insert: {
                    "approved_at"?: string | null,"created_at"?: string,"id"?: string,"look_at"?: string,"order_id": string,"provider": string,"reason"?: string | null,"reference"?: string | null,"status"?: string,"updated_at"?: string,"way"?: string
                  }
                  Update: {
                    "approved_at"?: string | null,"created_at"?: string,"id"?: string,"look_at"?: string,"order_id"?: string,"provider"?: string,"reason"?: string | null,"reference"?: string | null,"status"?: string,"updated_at"?: string,"way"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "payment_attempts_order_id_fkey"
      columns: ["order_id"]
isOneToOne: false
      referencedRelation: "orders"
      referencedColumns: ["id"]
    }
                  ]
                },"payment_disputes": {
                  Row: {
                    "amount_minor": number,"created_at": string,"currency": string,"due_at": string | null,"id": string,"look_at": string,"netted_minor": number,"payer_id": string,"payment_id": string,"provider": string,"reason": string,"reference": string,"reservation_id": string | null,"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"created_at"?: string,"currency": string,"due_at"?: string | null,"id"?: string,"look_at"?: string,"netted_minor"?: number,"payer_id": string,"payment_id": string,"provider": string,"reason": string,"reference": string,"reservation_id"?: string | null,"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "amount_minor"?: number,"created_at"?: string,"currency"?: string,"due_at"?: string | null,"id"?: string,"look_at"?: string,"netted_minor"?: number,"payer_id"?: string,"payment_id"?: string,"provider"?: string,"reason"?: string,"reference"?: string,"reservation_id"?: string | null,"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "payment_disputes_payer_id_fkey"
      columns: ["payer_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "payment_disputes_payment_id_fkey"
      columns: ["payment_id"]
isOneToOne: false
      referencedRelation: "payments"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "payment_disputes_reservation_id_fkey"
      columns: ["reservation_id"]
isOneToOne: false
      referencedRelation: "ledger_reservations"
      referencedColumns: ["id"]
    }
                  ]
                },"payment_methods": {
                  Row: {
                    "created_at": string,"expires_on": string | null,"id": string,"is_default": boolean,"kind": string,"label": string,"owner_id": string,"provider": string,"reference": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"expires_on"?: string | null,"id"?: string,"is_default"?: boolean,"kind": string,"label": string,"owner_id": string,"provider": string,"reference": string
                  }
                  Update: {
                    "created_at"?: string,"expires_on"?: string | null,"id"?: string,"is_default"?: boolean,"kind"?: string,"label"?: string,"owner_id"?: string,"provider"?: string,"reference"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "payment_methods_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"payments": {
                  Row: {
                    "amount_minor": number,"applied_minor": number,"charged_back_minor": number,"created_at": string,"currency": string,"id": string,"note": string | null,"order_id": string,"payer_id": string,"provider": string,"receipt_number": number,"reference": string,"refunded_minor": number,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"applied_minor": number,"charged_back_minor"?: number,"created_at"?: string,"currency": string,"id"?: string,"note"?: string | null,"order_id": string,"payer_id": string,"provider": string,"receipt_number"?: never,"reference": string,"refunded_minor"?: number,"updated_at"?: string
                  }
                  Update: {
                    "amount_minor"?: number,"applied_minor"?: number,"charged_back_minor"?: number,"created_at"?: string,"currency"?: string,"id"?: string,"note"?: string | null,"order_id"?: string,"payer_id"?: string,"provider"?: string,"receipt_number"?: never,"reference"?: string,"refunded_minor"?: number,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "payments_order_id_fkey"
      columns: ["order_id"]
isOneToOne: false
      referencedRelation: "orders"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "payments_payer_id_fkey"
      columns: ["payer_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"plan_features": {
                  Row: {
                    "allowed": number | null,"feature": string,"plan": string
                  }
                  ComputedFields: never
                  Insert: {
                    "allowed"?: number | null,"feature": string,"plan": string
                  }
                  Update: {
                    "allowed"?: number | null,"feature"?: string,"plan"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "plan_features_plan_fkey"
      columns: ["plan"]
isOneToOne: false
      referencedRelation: "plans"
      referencedColumns: ["plan"]
    }
                  ]
                },"plan_prices": {
                  Row: {
                    "amount_minor": number,"created_at": string,"currency": string,"id": string,"is_sold": boolean,"period": string,"plan": string,"provider": string,"reference": string | null
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"created_at"?: string,"currency": string,"id"?: string,"is_sold"?: boolean,"period": string,"plan": string,"provider"?: string,"reference"?: string | null
                  }
                  Update: {
                    "amount_minor"?: number,"created_at"?: string,"currency"?: string,"id"?: string,"is_sold"?: boolean,"period"?: string,"plan"?: string,"provider"?: string,"reference"?: string | null
                  }
                  Relationships: [
                    {
      foreignKeyName: "plan_prices_plan_fkey"
      columns: ["plan"]
isOneToOne: false
      referencedRelation: "plans"
      referencedColumns: ["plan"]
    }
                  ]
                },"plans": {
                  Row: {
                    "created_at": string,"description": string,"is_premium": boolean,"plan": string,"position": number,"title": string,"trial_days": number
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"description"?: string,"is_premium"?: boolean,"plan": string,"position": number,"title": string,"trial_days"?: number
                  }
                  Update: {
                    "created_at"?: string,"description"?: string,"is_premium"?: boolean,"plan"?: string,"position"?: number,"title"?: string,"trial_days"?: number
                  }
                  Relationships: [
                    
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
                },"refunds": {
                  Row: {
                    "amount_minor": number,"created_at": string,"currency": string,"dispute_id": string | null,"id": string,"idempotency_key": string,"look_at": string,"note": string | null,"payer_id": string,"payment_id": string,"provider": string,"reason": string,"reference": string | null,"reservation_id": string | null,"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "amount_minor": number,"created_at"?: string,"currency": string,"dispute_id"?: string | null,"id"?: string,"idempotency_key": string,"look_at"?: string,"note"?: string | null,"payer_id": string,"payment_id": string,"provider": string,"reason": string,"reference"?: string | null,"reservation_id"?: string | null,"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "amount_minor"?: number,"created_at"?: string,"currency"?: string,"dispute_id"?: string | null,"id"?: string,"idempotency_key"?: string,"look_at"?: string,"note"?: string | null,"payer_id"?: string,"payment_id"?: string,"provider"?: string,"reason"?: string,"reference"?: string | null,"reservation_id"?: string | null,"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "refunds_dispute_id_fkey"
      columns: ["dispute_id"]
isOneToOne: false
      referencedRelation: "payment_disputes"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "refunds_payer_id_fkey"
      columns: ["payer_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "refunds_payment_id_fkey"
      columns: ["payment_id"]
isOneToOne: false
      referencedRelation: "payments"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "refunds_reservation_id_fkey"
      columns: ["reservation_id"]
isOneToOne: true
      referencedRelation: "ledger_reservations"
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
                },"settlement_bands": {
                  Row: {
                    "host_share_bps": number,"max_rating": number,"min_rating": number,"name": string,"penalty_bps": number,"penalty_to": string,"policy_version": number
                  }
                  ComputedFields: never
                  Insert: {
                    "host_share_bps": number,"max_rating": number,"min_rating": number,"name": string,"penalty_bps": number,"penalty_to"?: string,"policy_version": number
                  }
                  Update: {
                    "host_share_bps"?: number,"max_rating"?: number,"min_rating"?: number,"name"?: string,"penalty_bps"?: number,"penalty_to"?: string,"policy_version"?: number
                  }
                  Relationships: [
                    {
      foreignKeyName: "settlement_bands_policy_version_fkey"
      columns: ["policy_version"]
isOneToOne: false
      referencedRelation: "settlement_policies"
      referencedColumns: ["version"]
    }
                  ]
                },"settlement_policies": {
                  Row: {
                    "book_ahead_days": number,"created_at": string,"hold_hours": number,"no_show_minutes": number,"objection_hours": number,"pay_within_minutes": number,"unrated_rating": number,"version": number
                  }
                  ComputedFields: never
                  Insert: {
                    "book_ahead_days"?: number,"created_at"?: string,"hold_hours"?: number,"no_show_minutes"?: number,"objection_hours"?: number,"pay_within_minutes"?: number,"unrated_rating"?: number,"version": number
                  }
                  Update: {
                    "book_ahead_days"?: number,"created_at"?: string,"hold_hours"?: number,"no_show_minutes"?: number,"objection_hours"?: number,"pay_within_minutes"?: number,"unrated_rating"?: number,"version"?: number
                  }
                  Relationships: [
                    
                  ]
                },"subscriptions": {
                  Row: {
                    "cancel_at": string | null,"changed_at": string,"changed_by": string,"created_at": string,"current_period_end": string,"current_period_start": string,"customer": string | null,"end_reason": string | null,"ended_at": string | null,"id": string,"is_extra": boolean,"look_at": string | null,"next_price_id": string | null,"owner_id": string,"plan": string,"price_id": string | null,"provider": string | null,"reference": string | null,"started_at": string,"status": string,"trial_ends_at": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "cancel_at"?: string | null,"changed_at": string,"changed_by"?: string,"created_at"?: string,"current_period_end": string,"current_period_start": string,"customer"?: string | null,"end_reason"?: string | null,"ended_at"?: string | null,"id"?: string,"is_extra"?: boolean,"look_at"?: string | null,"next_price_id"?: string | null,"owner_id": string,"plan": string,"price_id"?: string | null,"provider"?: string | null,"reference"?: string | null,"started_at": string,"status": string,"trial_ends_at"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "cancel_at"?: string | null,"changed_at"?: string,"changed_by"?: string,"created_at"?: string,"current_period_end"?: string,"current_period_start"?: string,"customer"?: string | null,"end_reason"?: string | null,"ended_at"?: string | null,"id"?: string,"is_extra"?: boolean,"look_at"?: string | null,"next_price_id"?: string | null,"owner_id"?: string,"plan"?: string,"price_id"?: string | null,"provider"?: string | null,"reference"?: string | null,"started_at"?: string,"status"?: string,"trial_ends_at"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "subscriptions_next_price_id_fkey"
      columns: ["next_price_id"]
isOneToOne: false
      referencedRelation: "plan_prices"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "subscriptions_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "subscriptions_plan_fkey"
      columns: ["plan"]
isOneToOne: false
      referencedRelation: "plans"
      referencedColumns: ["plan"]
    },{
      foreignKeyName: "subscriptions_price_id_fkey"
      columns: ["price_id"]
isOneToOne: false
      referencedRelation: "plan_prices"
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
                },"withdrawal_events": {
                  Row: {
                    "actor_id": string | null,"created_at": string,"from_status": string | null,"id": number,"reason": string | null,"to_status": string,"withdrawal_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "actor_id"?: string | null,"created_at"?: string,"from_status"?: string | null,"id"?: never,"reason"?: string | null,"to_status": string,"withdrawal_id": string
                  }
                  Update: {
                    "actor_id"?: string | null,"created_at"?: string,"from_status"?: string | null,"id"?: never,"reason"?: string | null,"to_status"?: string,"withdrawal_id"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "withdrawal_events_withdrawal_id_fkey"
      columns: ["withdrawal_id"]
isOneToOne: false
      referencedRelation: "withdrawals"
      referencedColumns: ["id"]
    }
                  ]
                },"withdrawal_schedules": {
                  Row: {
                    "cadence": string,"created_at": string,"currency": string,"minimum_minor": number,"next_at": string | null,"note": string | null,"owner_id": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "cadence": string,"created_at"?: string,"currency": string,"minimum_minor"?: number,"next_at"?: string | null,"note"?: string | null,"owner_id": string,"updated_at"?: string
                  }
                  Update: {
                    "cadence"?: string,"created_at"?: string,"currency"?: string,"minimum_minor"?: number,"next_at"?: string | null,"note"?: string | null,"owner_id"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "withdrawal_schedules_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    }
                  ]
                },"withdrawal_transitions": {
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
                },"withdrawals": {
                  Row: {
                    "account_id": string,"amount_minor": number,"approval_id": string | null,"created_at": string,"currency": string,"fee_minor": number | null,"id": string,"idempotency_key": string,"look_at": string,"needs_approval": boolean,"note": string | null,"owner_id": string,"provider": string,"reference": string | null,"reservation_id": string | null,"status": string,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "account_id": string,"amount_minor": number,"approval_id"?: string | null,"created_at"?: string,"currency": string,"fee_minor"?: number | null,"id"?: string,"idempotency_key": string,"look_at"?: string,"needs_approval"?: boolean,"note"?: string | null,"owner_id": string,"provider": string,"reference"?: string | null,"reservation_id"?: string | null,"status"?: string,"updated_at"?: string
                  }
                  Update: {
                    "account_id"?: string,"amount_minor"?: number,"approval_id"?: string | null,"created_at"?: string,"currency"?: string,"fee_minor"?: number | null,"id"?: string,"idempotency_key"?: string,"look_at"?: string,"needs_approval"?: boolean,"note"?: string | null,"owner_id"?: string,"provider"?: string,"reference"?: string | null,"reservation_id"?: string | null,"status"?: string,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "withdrawals_account_id_fkey"
      columns: ["account_id"]
isOneToOne: false
      referencedRelation: "connected_accounts"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "withdrawals_approval_id_fkey"
      columns: ["approval_id"]
isOneToOne: true
      referencedRelation: "operator_approvals"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "withdrawals_owner_id_fkey"
      columns: ["owner_id"]
isOneToOne: false
      referencedRelation: "profiles"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "withdrawals_reservation_id_fkey"
      columns: ["reservation_id"]
isOneToOne: true
      referencedRelation: "ledger_reservations"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Views: {
            "billing_mrr": {
                  Row: {
                    "currency": string,"ending": number | null,"mrr_minor": number | null,"past_due": number | null,"paying": number | null,"plan": string,"trialing": number | null
                  }
                  ComputedFields: never
                  Relationships: [
                    {
      foreignKeyName: "subscriptions_plan_fkey"
      columns: ["plan"]
isOneToOne: false
      referencedRelation: "plans"
      referencedColumns: ["plan"]
    }
                  ]
                },"ledger_balances": {
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
                    
                  ]
                }
          }
          Functions: {
            "add_settlement_policy":
{ Args: { "bands": Json,"book_ahead_days"?: number,"hold_hours"?: number,"no_show_minutes"?: number,"objection_hours"?: number,"pay_within_minutes"?: number,"unrated_rating"?: number }; Returns: {
              "book_ahead_days": number,
"created_at": string,
"hold_hours": number,
"no_show_minutes": number,
"objection_hours": number,
"pay_within_minutes": number,
"unrated_rating": number,
"version": number
            }
                          SetofOptions: {
        from: "*"
        to: "settlement_policies"
        isOneToOne: true
        isSetofReturn: false
      } },
"approve_escrow":
{ Args: { "escrow_id": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"book_offer":
{ Args: { "offer_id": string,"starts_at": string }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
        isOneToOne: true
        isSetofReturn: false
      } },
"cancel_booking":
{ Args: { "booking_id": string,"reason"?: string }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"cancel_withdrawal":
{ Args: { "reason"?: string,"withdrawal_id": string }; Returns: {
              "account_id": string,
"amount_minor": number,
"approval_id": string | null,
"created_at": string,
"currency": string,
"fee_minor": number | null,
"id": string,
"idempotency_key": string,
"look_at": string,
"needs_approval": boolean,
"note": string | null,
"owner_id": string,
"provider": string,
"reference": string | null,
"reservation_id": string | null,
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "withdrawals"
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
"close_booking_offer":
{ Args: { "offer_id": string }; Returns: {
              "created_at": string,
"currency": string,
"description": string,
"duration_minutes": number,
"full_refund_hours": number,
"host_id": string,
"id": string,
"is_open": boolean,
"part_refund_bps": number,
"part_refund_hours": number,
"price_minor": number,
"title": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "booking_offers"
        isOneToOne: true
        isSetofReturn: false
      } },
"close_connected_account":
{ Args: { "account_id": string }; Returns: {
              "changed_at": string,
"country": string,
"created_at": string,
"fingerprint": string | null,
"id": string,
"is_default": boolean,
"label": string,
"note": string | null,
"owner_id": string,
"provider": string,
"reference": string | null,
"requirements": (string)[],
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "connected_accounts"
        isOneToOne: true
        isSetofReturn: false
      } },
"confirm_approval":
{ Args: { "approval_id": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"confirm_completion":
{ Args: { "booking_id": string }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_booking_offer":
{ Args: { "currency": string,"description"?: string,"duration_minutes": number,"full_refund_hours"?: number,"part_refund_bps"?: number,"part_refund_hours"?: number,"price_minor": number,"title": string }; Returns: {
              "created_at": string,
"currency": string,
"description": string,
"duration_minutes": number,
"full_refund_hours": number,
"host_id": string,
"id": string,
"is_open": boolean,
"part_refund_bps": number,
"part_refund_hours": number,
"price_minor": number,
"title": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "booking_offers"
        isOneToOne: true
        isSetofReturn: false
      } },
"create_order":
{ Args: { "amount_minor": number,"currency": string,"purpose": string }; Returns: {
              "amount_minor": number,
"booking_id": string | null,
"created_at": string,
"currency": string,
"escrow_id": string | null,
"id": string,
"paid_at": string | null,
"payer_country": string | null,
"payer_id": string,
"payer_tax_id": string | null,
"provider": string | null,
"provider_reference": string | null,
"purpose": string,
"status": string,
"tax_bps": number,
"tax_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"decline_approval":
{ Args: { "approval_id": string,"reason": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"delete_account":
{ Args: Record<PropertyKey, never>; Returns: undefined
                           },
"dispute_booking":
{ Args: { "booking_id": string,"evidence": string }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
        isOneToOne: true
        isSetofReturn: false
      } },
"dispute_escrow":
{ Args: { "escrow_id": string,"evidence": string }; Returns: {
              "agreement_id": string,
"closed_at": string | null,
"created_at": string,
"creator_id": string,
"currency": string,
"due_at": string | null,
"fee_minor": number,
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"explain_balance":
{ Args: { "currency"?: string }; Returns: {
              "amount_minor": number,"available_at": string,"currency": string,"part": string,"reason": string,"since": string,"subject_id": string
            }[]
                           },
"get_balance_at":
{ Args: { "account_id": number,"moment": string }; Returns: number
                           },
"get_receipt":
{ Args: { "payment_id": string }; Returns: Json
                           },
"get_referral_code":
{ Args: Record<PropertyKey, never>; Returns: string
                           },
"get_trial_balance":
{ Args: Record<PropertyKey, never>; Returns: {
              "accounts": number,"balance_minor": number,"currency": string,"kind": string
            }[]
                           },
"grant_role":
{ Args: { "role": unknown,"user_id": string }; Returns: undefined
                           },
"is_premium":
{ Args: Record<PropertyKey, never>; Returns: boolean
                           },
"lift_suspension":
{ Args: { "user_id": string }; Returns: undefined
                           },
"list_entitlements":
{ Args: Record<PropertyKey, never>; Returns: {
              "allowed": number,"feature": string,"plan": string
            }[]
                           },
"list_findings":
{ Args: Record<PropertyKey, never>; Returns: {
              "finding": string,"first_seen_at": string,"last_seen_at": string,"subject": string
            }[]
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"order_booking":
{ Args: { "booking_id": string }; Returns: {
              "amount_minor": number,
"booking_id": string | null,
"created_at": string,
"currency": string,
"escrow_id": string | null,
"id": string,
"paid_at": string | null,
"payer_country": string | null,
"payer_id": string,
"payer_tax_id": string | null,
"provider": string | null,
"provider_reference": string | null,
"purpose": string,
"status": string,
"tax_bps": number,
"tax_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"order_escrow":
{ Args: { "escrow_id": string }; Returns: {
              "amount_minor": number,
"booking_id": string | null,
"created_at": string,
"currency": string,
"escrow_id": string | null,
"id": string,
"paid_at": string | null,
"payer_country": string | null,
"payer_id": string,
"payer_tax_id": string | null,
"provider": string | null,
"provider_reference": string | null,
"purpose": string,
"status": string,
"tax_bps": number,
"tax_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_adjustment":
{ Args: { "amount_minor": number,"counterpart": string,"currency": string,"owner_id": string,"reason": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_dispute_outcome":
{ Args: { "amount_minor"?: number,"dispute_id": string,"outcome": string,"reason": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_own_transfer":
{ Args: { "amount_minor": number,"currency": string,"from_provider": string,"reason": string,"to_provider": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_refund_outcome":
{ Args: { "outcome": string,"reason": string,"reference"?: string,"refund_id": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_withdrawal_approval":
{ Args: { "reason": string,"withdrawal_id": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_withdrawal_limit":
{ Args: { "approval_minor"?: number,"currency": string,"daily_minor"?: number,"hold_hours"?: number,"maximum_minor"?: number,"minimum_minor"?: number,"monthly_minor"?: number,"multiple_minor"?: number,"needs_kyc"?: boolean,"provider": string,"reason": string,"tier": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_withdrawal_outcome":
{ Args: { "outcome": string,"reason": string,"reference"?: string,"withdrawal_id": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"propose_write_off":
{ Args: { "currency": string,"owner_id": string,"reason": string }; Returns: {
              "action": string,
"created_at": string,
"decided_at": string | null,
"decided_by": string | null,
"expires_at": string,
"id": string,
"input": NonNullable<Json>,
"note": string | null,
"owner_id": string | null,
"proposed_by": string,
"reason": string,
"result": Json | null,
"status": string,
"subject_id": string | null
            }
                          SetofOptions: {
        from: "*"
        to: "operator_approvals"
        isOneToOne: true
        isSetofReturn: false
      } },
"rate_booking":
{ Args: { "booking_id": string,"rating": number }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"refund_payment":
{ Args: { "amount_minor"?: number,"key"?: string,"payment_id": string,"reason": string }; Returns: {
              "amount_minor": number,
"created_at": string,
"currency": string,
"dispute_id": string | null,
"id": string,
"idempotency_key": string,
"look_at": string,
"note": string | null,
"payer_id": string,
"payment_id": string,
"provider": string,
"reason": string,
"reference": string | null,
"reservation_id": string | null,
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "refunds"
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"report_no_show":
{ Args: { "booking_id": string }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
        isOneToOne: true
        isSetofReturn: false
      } },
"request_withdrawal":
{ Args: { "account_id"?: string,"amount_minor": number,"currency": string,"key"?: string }; Returns: {
              "account_id": string,
"amount_minor": number,
"approval_id": string | null,
"created_at": string,
"currency": string,
"fee_minor": number | null,
"id": string,
"idempotency_key": string,
"look_at": string,
"needs_approval": boolean,
"note": string | null,
"owner_id": string,
"provider": string,
"reference": string | null,
"reservation_id": string | null,
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "withdrawals"
        isOneToOne: true
        isSetofReturn: false
      } },
"resolve_booking_dispute":
{ Args: { "booking_id": string,"outcome": string,"reason": string,"refund_minor"?: number }; Returns: {
              "band": string | null,
"charged_back_minor": number,
"closed_at": string | null,
"completed_at": string | null,
"completes_at": string,
"created_at": string,
"currency": string,
"ends_at": string,
"expires_at": string,
"frozen_at": string | null,
"funded_at": string | null,
"guest_confirmed_at": string | null,
"guest_id": string,
"host_confirmed_at": string | null,
"host_id": string,
"host_minor": number,
"id": string,
"is_stuck": boolean,
"no_show_party": string | null,
"offer_id": string,
"payment_reference": string | null,
"penalty_minor": number,
"policy_version": number,
"provider": string | null,
"rating": number | null,
"refunded_minor": number,
"released_minor": number,
"remaining_minor": number,
"settles_at": string | null,
"starts_at": string,
"status": string,
"status_reason": string | null,
"taken_back_minor": number,
"title": string,
"total_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "bookings"
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"set_default_account":
{ Args: { "account_id": string }; Returns: {
              "changed_at": string,
"country": string,
"created_at": string,
"fingerprint": string | null,
"id": string,
"is_default": boolean,
"label": string,
"note": string | null,
"owner_id": string,
"provider": string,
"reference": string | null,
"requirements": (string)[],
"status": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "connected_accounts"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_default_payment_method":
{ Args: { "method_id": string }; Returns: {
              "created_at": string,
"expires_on": string | null,
"id": string,
"is_default": boolean,
"kind": string,
"label": string,
"owner_id": string,
"provider": string,
"reference": string
            }
                          SetofOptions: {
        from: "*"
        to: "payment_methods"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_order_tax_id":
{ Args: { "order_id": string,"tax_id": string }; Returns: {
              "amount_minor": number,
"booking_id": string | null,
"created_at": string,
"currency": string,
"escrow_id": string | null,
"id": string,
"paid_at": string | null,
"payer_country": string | null,
"payer_id": string,
"payer_tax_id": string | null,
"provider": string | null,
"provider_reference": string | null,
"purpose": string,
"status": string,
"tax_bps": number,
"tax_minor": number,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "orders"
        isOneToOne: true
        isSetofReturn: false
      } },
"set_withdrawal_schedule":
{ Args: { "cadence": string,"currency": string,"minimum_minor"?: number }; Returns: {
              "cadence": string,
"created_at": string,
"currency": string,
"minimum_minor": number,
"next_at": string | null,
"note": string | null,
"owner_id": string,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "withdrawal_schedules"
        isOneToOne: true
        isSetofReturn: false
      } },
"settle_bookings":
{ Args: Record<PropertyKey, never>; Returns: number
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"start_trial":
{ Args: { "plan"?: string }; Returns: {
              "cancel_at": string | null,
"changed_at": string,
"changed_by": string,
"created_at": string,
"current_period_end": string,
"current_period_start": string,
"customer": string | null,
"end_reason": string | null,
"ended_at": string | null,
"id": string,
"is_extra": boolean,
"look_at": string | null,
"next_price_id": string | null,
"owner_id": string,
"plan": string,
"price_id": string | null,
"provider": string | null,
"reference": string | null,
"started_at": string,
"status": string,
"trial_ends_at": string | null,
"updated_at": string
            }
                          SetofOptions: {
        from: "*"
        to: "subscriptions"
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
"frozen_at": string | null,
"funded_at": string | null,
"hold_until": string | null,
"hold_warn_at": string | null,
"hold_warned_at": string | null,
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
