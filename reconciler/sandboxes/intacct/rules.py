"""What a request may look like: the envelope, the functions this sandbox has, their elements in their order.

Written in `grammar`'s notation from the vendor's documents of the 3.0 request; `query`, `lookup` and `retrievepdf`,
the control block's `showadditionalerrorinfo` and the tax elements of lines are newer than its published schema.
"""

from __future__ import annotations

from reconciler.sandboxes.intacct.grammar import Grammar

_TEXT = """
// the envelope
request = control operation+
control = senderid password? controlid uniqueid? dtdversion? policyid? debug? includewhitespace:boolean?
 showadditionalerrorinfo?
controlid = #text256
operation = authentication preferences* content* @transaction=true|false
preferences = companyprefs* moduleprefs*
companyprefs moduleprefs = #any
authentication = login | sessionid | oauth
login = userid companyid password clientid? locationid?
content = function+
function = getAPISession | create | update | delete | read | readByName | readByQuery | readMore | inspect
 | query | lookup | retrievepdf | get | get_list | getDimensions | get_closedbooksdate | get_araging
 | create_customer | update_customer | delete_customer | create_contact | update_contact | delete_contact
 | create_invoice | update_invoice | delete_invoice | reverse_invoice
 | create_aradjustment | update_aradjustment | delete_aradjustment
 | create_arpayment | apply_arpayment | reverse_arpayment | delete_arpayment
 | create_glaccount | create_department | create_location | create_class | create_arterm | create_item
 | create_taxdetail | create_checkingaccount
 | create_supdoc | update_supdoc | delete_supdoc | create_supdocfolder | delete_supdocfolder
 | create_invoicebatch | create_aradjustmentbatch | create_arpaymentbatch @controlid!

// generic functions
getAPISession = locationid?
create update = #any
delete = {object keys}
read readByName = {object keys fields:text? returnFormat? docparid?}
readByQuery = {object query:text pagesize? fields:text? returnFormat? docparid?}
readMore = object | view | reportId | resultId
inspect = object | name @detail
lookup = {object docparid?}
retrievepdf = ARINVOICE | SODOCUMENT | POPURCHASEORDER
ARINVOICE = RECORDNO
SODOCUMENT POPURCHASEORDER = DOCID
getDimensions get_closedbooksdate = #empty
text = #text
boolean = #boolean
anything = #anything
query = {object select filter:query_filter? orderby? options? pagesize? offset:text? docparid?}
select = (field | count | sum | avg | min | max)+
query_filter = (~condition)?
condition = equalto | notequalto | lessthan | lessthanorequalto | greaterthan | greaterthanorequalto
 | between | in | notin | like | notlike | isnull | isnotnull | and | or
equalto notequalto lessthan lessthanorequalto greaterthan greaterthanorequalto like notlike = field value
between = field value value
in notin = field value+
isnull isnotnull = field
and or = (~condition) (~condition)+
orderby = order+
order = field (ascending | descending)
ascending descending = #empty
options = {caseinsensitive? showprivate? returnformat?}

// legacy reads
get = fields? @object! @key! @externalkey=true|false
get_list = filter? sorts? fields? additional_parameters? @object! @start @maxitems @showprivate=true|false
filter = logical+ | expression+
expression = field operator value @object
logical = (logical | expression) (logical | expression)+ @logical_operator!=and|or @object
sorts = sortfield+
sortfield = #text @order!=asc|desc
fields = field+
additional_parameters = #any
get_araging = agingperiods? customerid? invoiceno? locationid? departmentid? asofdate? useduedate? showdetails?
 documenttype? useglpostdate? showzerowithactivity?

// parts
datecreated dateposted datedue exchratedate revrecstartdate revrecenddate datereceived paymentdate datereversed
 asofdate startdate enddate = year month day
billto shipto payto returnto primary contactinfo = contact | contactname
contact = contactname printas taxable? companyname? taxgroup? ~contact_tail
contact_tail = prefix? firstname? lastname? initial? phone1? phone2? cellphone? pager? fax? email1? email2? url1?
 url2? status? mailaddress? taxid?
mailaddress = address1? address2? city? state? zip? country? isocountrycode? latitude? longitude?
contactlist = contactitem+
contactitem = category (contact | contactname)
customfields = customfield*
customfield = customfieldname customfieldvalue
deliveryoptions = deliveryoption+
restricted_locs = locationid+
restricted_depts = departmentid+
visibility = visibility_type restricted_locs* restricted_depts*
base_currency_group = (basecurr? currency ((exchratedate? exchratetype) | exchrate))?
currency_group = (currency ((exchratedate? exchratetype) | exchrate))?

// customers and contacts
create_customer = customerid name ~customer_tail externalid? ~customer_end @ignoreduplicates=true|false
update_customer = name? ~customer_tail ~customer_end @customerid! @set_nulls=true|false @externalkey=true|false
customer_tail = parentid? termname? custrepid? shippingmethod? custtype? taxid? creditlimit? territoryid? resaleno?
 deliveryoptions? accountlabel? glaccountno? glgroup? onhold? comments? status? currency?
customer_end = primary? billto? shipto? contactinfo? contactlist? vsoepricelist? customfields? visibility?
 supdocid? offsetglaccountno?
delete_customer = #empty @customerid! @externalkey=true|false
create_contact = contactname printas companyname? taxable? taxgroup? ~contact_tail externalid?
 @ignoreduplicates=true|false
update_contact = printas? companyname? taxable? taxgroup? ~contact_tail @contactname! @externalkey=true|false
 @set_nulls=true|false
delete_contact = #empty @contactname! @externalkey=true|false

// invoices and adjustments
create_invoice = customerid datecreated dateposted? datedue? termname? batchkey? action? invoiceno? ponumber?
 description? externalid? billto? shipto? ~base_currency_group nogl? supdocid? customfields? taxsolutionid?
 invoiceitems
invoiceitems aradjustmentitems = lineitem+
lineitem = (accountlabel | glaccountno) offsetglaccountno? amount allocationid? memo? locationid? departmentid?
 item1099? form1099type? form1099box? key? totalpaid? totaldue? customfields? ~line_tail taxentries?
line_tail = revrectemplate? defrevaccount? revrecstartdate? revrecenddate? projectid? taskid? costtypeid?
 customerid?
 vendorid? employeeid? itemid? classid? contractid? warehouseid? billable?
taxentries = taxentry+
taxentry = detailid trx_tax?
update_invoice = customerid? datecreated? dateposted? datedue? termname? action? invoiceno? ponumber? description?
 payto? returnto? ~currency_group supdocid? customfields? updateinvoiceitems?
 @key! @set_nulls=true|false @externalkey=true|false
updateinvoiceitems updatearadjustmentitems = (lineitem | updatelineitem)+
updatelineitem = (accountlabel | glaccountno)? offsetglaccountno? amount? memo? locationid? departmentid? item1099?
 form1099type? form1099box? customfields? ~line_tail taxentries? @line_num!
delete_invoice delete_aradjustment = #empty @key! @externalkey=true|false
reverse_invoice = datereversed description? @key!
create_aradjustment = customerid datecreated dateposted? batchkey? adjustmentno? action? invoiceno? description?
 externalid? ~base_currency_group nogl? taxsolutionid? aradjustmentitems
update_aradjustment = customerid? datecreated? dateposted? adjustmentno? action? invoiceno? description?
 ~currency_group updatearadjustmentitems? @key! @set_nulls=true|false @externalkey=true|false

// payments
create_arpayment = customerid paymentamount translatedamount? (batchkey | bankaccountid | undepfundsacct)? refid?
 overpaylocid? overpaydeptid? datereceived? paymentmethod? ~base_currency_group cctype? authcode? arpaymentitem*
 (onlinecardpayment | onlineachpayment)*
arpaymentitem = invoicekey amount
arpaymentitems = arpaymentitem+
apply_arpayment = arpaymentkey paymentdate batchkey? memo? overpaylocid? overpaydeptid? arpaymentitems*
reverse_arpayment = datereversed description? nsfclosedaccount:anything? @key!
delete_arpayment = #empty @key!
expirydate = exp_month exp_year
onlinecardpayment = cardnum expirydate cardtype securitycode? usedefaultcard?
onlineachpayment = bankname accounttype accountnumber routingnumber accountholder usedefaultaccount?
create_invoicebatch = batchtitle datecreated? create_invoice*
create_aradjustmentbatch = batchtitle datecreated? create_aradjustment*
create_arpaymentbatch = batchtitle (bankaccountid | undepfundsacct)? datecreated? create_arpayment* apply_arpayment*

// lists
create_glaccount = glaccountno title normalbalance accounttype? closingtype? closingaccountno? status? requiredept?
 requireloc? requireproject? requiretask? requirecustomer? requirevendor? requireitem? requireemployee?
 requireclass?
 requirecontract? requirewarehouse? taxable? externalid? customfields? category? taxcode? mrccode?
 alternativeaccount? subledgercontrolon? @ignoreduplicates=true|false
create_department = departmentid title parentid? supervisorid? status? externalid? customfields? custtitle?
 @ignoreduplicates=true|false
create_location = locationid name parentid? supervisorid? startdate? enddate? status? externalid? primary? shipto?
 customfields? custtitle? @ignoreduplicates=true|false
create_class = classid name description? parentid? status? customfields?
create_arterm = name description? status? due? discount? disccalcon? penalty?
due = (dueday? duefrom?)+
discount = (discday? discfrom? discamount? discpercamn? discgracedays?)+
penalty = (pen_type? penamount? penpercamn? pengracedays?)+
create_item = itemid name status? itemtype enable_bins? extended_description? productlineid?
 substituteid? ship_weight? datelastsold? datelastrecvd? taxable? cost_method? standard_cost? average_cost?
 base_price? standard_unit?
 purchase_unit? purchase_unit_factor? sales_unit? sales_unit_factor? default_warehouse? glgroup? note?
 inventory_precision? purchasing_precision? sales_precision? upc? hasstartenddates? term_period? defaultnoofperiods?
 computepriceforshortterm? itaxgroup? revenue_posting? vendlineitems:anything? whslineitems:anything?
 complineitems:anything? taxcode? vsoecategory? vsoedlvrstatus? vsoerevdefstatus? incomeaccount? invaccount?
 expenseaccount? cogsaccount? offsetoeglaccount? offsetpoglaccount? defrevaccount? uomgrp? dropship?
 cnbillingtemplate? cnrevenuetemplate? cnrevenue2template? cnexpensetemplate? cnexpense2template? customfields? mrr?
 @ignoreduplicates=true|false
create_taxdetail = detailid description? taxtype value? mintaxable? maxtaxable? include? mintax? maxtax? glaccountno
 accountlabel? taxauthority? status?
create_checkingaccount = bankaccountid bankaccountno? locationid bankname routingno? branchid? phone? currency?
 mailaddress? status? disableiet? financialdata:anything? glaccountno?
 (servicechargeglaccount | servicechargeaccountlabel)? (interestearnedglaccount | interestearnedaccountlabel)?
 departmentid? checkinfocontact:anything? checklayout? nextcheck? achenabled? achbankid? companyname?
 companyidentification? financialinstitution? description? discretionarydata? userecommendedsetup?
 serviceclasscode? batchid? tracenumberseq? usetracenumber? docnumberseq? visibility?

// attachments
create_supdoc update_supdoc = supdocid supdocname? supdocfoldername? supdocdescription? attachments?
attachments = attachment+
attachment = attachmentname attachmenttype attachmentdata
delete_supdoc delete_supdocfolder = #empty @key!
create_supdocfolder = supdocfoldername supdocfolderdescription? supdocparentfoldername?
"""

GRAMMAR = Grammar(_TEXT)
FUNCTIONS = GRAMMAR.names("function")
_READING = (
    "getAPISession read readByName readByQuery readMore inspect query lookup retrievepdf get get_list "
    "getDimensions get_closedbooksdate get_araging"
)
READING = frozenset(_READING.split())
"""Functions that change nothing in the books."""
